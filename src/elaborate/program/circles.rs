//! Definitions that need themselves.

use crate::error::Span;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    OnPath,
    Done,
}

/// The first circle among what needs what: its steps, and the place that leads back to the first.
pub(super) fn find(edges: &[Vec<(u32, Span)>]) -> Option<(Vec<usize>, Span)> {
    let mut state = vec![State::New; edges.len()];
    for start in 0..edges.len() {
        if state[start] != State::New {
            continue;
        }
        state[start] = State::OnPath;
        // Each step with how many of its edges have been followed.
        let mut path = vec![(start, 0usize)];
        while let Some((at, followed)) = path.last_mut() {
            let Some(&(to, span)) = edges[*at].get(*followed) else {
                state[*at] = State::Done;
                path.pop();
                continue;
            };
            *followed += 1;
            let to = to as usize;
            match state[to] {
                State::Done => {}
                State::New => {
                    state[to] = State::OnPath;
                    path.push((to, 0));
                }
                State::OnPath => {
                    let from = path.iter().position(|step| step.0 == to).unwrap_or(0);
                    return Some((path[from..].iter().map(|step| step.0).collect(), span));
                }
            }
        }
    }
    None
}
