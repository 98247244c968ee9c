//! JSON lines: a request a line in, an answer a line out, in the same order.
//!
//! What must stay true: every line that is not blank gets exactly one answer, which carries the
//! request's id as it was; a bad line, even one that trips over a fault of ours, does not stop
//! the rest; an answer is flushed before the next request is waited for.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::console::{Console, Exit, Fault};
use super::numbers::to_json;
use super::source::Lines;

/// Bytes of one line: room for a large expression and millions of numbers.
const LINE_BYTES: usize = 64 << 20;

/// An answer with the id of its request.
#[derive(Serialize)]
struct Answer<'a, T> {
    id: &'a Value,
    #[serde(flatten)]
    body: Body<T>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Body<T> {
    Answered(T),
    Failed { error: String },
}

/// The one field that every request has.
#[derive(Deserialize)]
struct Identity {
    #[serde(default)]
    id: Value,
}

/// Answers the requests on standard input until it ends.
pub fn serve<Q, A>(
    console: &mut Console,
    mut answer: impl FnMut(Q) -> Result<A, Fault>,
) -> Result<Exit, Fault>
where
    Q: for<'a> Deserialize<'a>,
    A: Serialize,
{
    let mut lines = Lines::new(io::stdin().lock(), LINE_BYTES);
    while let Some(line) = lines.next()? {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let id = serde_json::from_slice(&line).map_or(Value::Null, |identity: Identity| identity.id);
        let body = match respond(&line, &mut answer) {
            Ok(body) => Body::Answered(body),
            Err(error) => Body::Failed { error },
        };
        console.print(&to_json(&Answer { id: &id, body }))?;
        console.flush()?;
    }
    Ok(Exit::Success)
}

/// The answer to one line, or what is wrong with it in one line.
fn respond<Q, A>(line: &[u8], answer: &mut impl FnMut(Q) -> Result<A, Fault>) -> Result<A, String>
where
    Q: for<'a> Deserialize<'a>,
{
    if line.len() > LINE_BYTES {
        return Err(format!("the line is longer than {LINE_BYTES} bytes"));
    }
    let request = serde_json::from_slice(line).map_err(|error| in_words(&error))?;
    // A panic would be a fault of ours; it still must not take the other lines along.
    match catch_unwind(AssertUnwindSafe(|| answer(request))) {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(Fault::Told(told))) => Err(told.line()),
        Ok(Err(Fault::Io(error))) => Err(error.to_string()),
        Err(_) => Err("internal fault: a bug in symdiff, not in the request; please report it".to_owned()),
    }
}

fn in_words(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let column = error.column();
    match error.classify() {
        Category::Eof => "the line ends in the middle of a JSON value".to_owned(),
        Category::Syntax | Category::Io => format!("not JSON: {}", place_in_line(error, column)),
        Category::Data => place_in_line(error, column),
    }
}

/// Requests are lines, so a line number says nothing.
fn place_in_line(error: &serde_json::Error, column: usize) -> String {
    let text = error.to_string().replace("expected f64", "expected a number");
    match text.split_once(" at line ") {
        Some((message, _)) if column > 0 => format!("{message} at column {column}"),
        _ => text,
    }
}
