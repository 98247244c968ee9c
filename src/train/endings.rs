//! How `minimize` ends: the status and the sentence for each way, and the final report.
//!
//! What must stay true: a sentence claims no more than the run knows; what is only likely is asked
//! as a question.

use super::line_search::Obstacle;
use super::minimize::{End, Run};
use super::objective::Sense;
use super::report::{Report, Status, short};
use super::vector::{add_scaled, largest, max_norm, subtract};

impl Run<'_> {
    pub(super) fn not_finite_at_start(&self) -> End {
        let culprit = self.names.culprit(self.probe.sense.caller(self.value), &self.gradient);
        let point = self.names.point(&self.x);
        (Status::NotFinite, format!("{culprit} at the start: {point}; start inside the domain"))
    }

    pub(super) fn converged(&mut self, norm: f64) -> End {
        if let Some(end) = self.runs_away() {
            return end;
        }
        if self.iterations == 0 && norm == 0.0 && self.probe.bounds.is_free() {
            let message = "the gradient is zero at the start: a minimum, or as well a saddle, a \
                           maximum or a flat stretch; another start would tell";
            return (Status::Converged, message.to_owned());
        }
        let norm = short(norm);
        (Status::Converged, format!("converged: gradient norm {norm} after {} iterations", self.iterations))
    }

    pub(super) fn converged_at_kink(&self, radius: f64) -> End {
        let message = format!(
            "converged at a kink: within {} of this point the gradients average to zero, \
             though none of them is zero",
            short(radius)
        );
        (Status::Converged, message)
    }

    pub(super) fn stalled(&self, obstacle: Obstacle, norm: f64) -> End {
        let cause = match obstacle {
            Obstacle::Edge => "the objective is not finite just beyond this point: the edge of its domain?",
            Obstacle::Wall => "at a kink? or the gradient is not that of the objective",
        };
        let message = format!(
            "stalled: no step lowers the value although the gradient norm is {}; {cause}",
            short(norm)
        );
        (
            Status::Stalled,
            match self.probe.sense {
                Sense::Minimize => message,
                Sense::Maximize => message.replace("lowers", "raises"),
            },
        )
    }

    pub(super) fn unbounded(&mut self, value: f64) -> End {
        let sense = self.probe.sense;
        let i = largest(&self.direction);
        let sign = if self.direction[i] > 0.0 { "+" } else { "-" };
        if value < self.value {
            std::mem::swap(&mut self.x, &mut self.search.x);
            std::mem::swap(&mut self.gradient, &mut self.search.gradient);
            self.value = value;
        }
        // Farther out -infinity is only an overflow on the way to infinity.
        let near = 1e6 * max_norm(&self.x).max(1.0);
        let message = match self.search.pit.as_ref().filter(|pit| max_norm(pit) <= near) {
            Some(pit) => format!(
                "unbounded {}: the objective is {} at {}",
                sense.far_side(),
                sense.caller(f64::NEG_INFINITY),
                self.names.point(pit),
            ),
            None => format!(
                "unbounded {}: the value {} without end as {} goes to {sign}infinity (last {})",
                sense.far_side(),
                sense.improves(),
                self.names.of(i),
                short(sense.caller(self.value)),
            ),
        };
        (Status::Unbounded, message)
    }

    /// Far from the start, a vanishing gradient may be that of a function falling for ever.
    fn runs_away(&mut self) -> Option<End> {
        const FAR: f64 = 1e3;
        let mut step = vec![0.0; self.x.len()];
        subtract(&mut step, &self.x, &self.start);
        let i = largest(&step);
        if step[i].abs() < FAR * self.start[i].abs().max(1.0) {
            return None;
        }
        let mut beyond = self.x.clone();
        add_scaled(&mut beyond, FAR, &step);
        self.probe.bounds.project(&mut beyond);
        let mut gradient = vec![0.0; beyond.len()];
        let value = self.probe.evaluate(&beyond, &mut gradient);
        let falls = self.value - value > 1e-8 * self.value.abs().max(1.0);
        if !falls {
            return None;
        }
        let (sense, sign) = (self.probe.sense, if step[i] > 0.0 { "+" } else { "-" });
        let message = format!(
            "no finite optimum: the value still {} at a thousand times the distance, from {} to {}, \
             as {} goes to {sign}infinity",
            sense.improves(),
            short(sense.caller(self.value)),
            short(sense.caller(value)),
            self.names.of(i),
        );
        Some((Status::Unbounded, message))
    }

    pub(super) fn report(self, status: Status, mut message: String, asked: &[f64]) -> Report {
        let (count, first) = self.probe.bounds.resting(&self.x);
        if let (Status::Converged, Some(first)) = (status, first) {
            message += &match count {
                1 => format!("; {} rests on its bound {}", self.names.of(first), self.x[first]),
                _ => format!("; {count} variables rest on a bound"),
            };
        }
        message += &self.names.projection_note(asked, &self.start);
        Report {
            gradient_norm: self.norm(),
            value: self.probe.sense.caller(self.value),
            iterations: self.iterations,
            evaluations: self.probe.evaluations,
            status,
            message,
            x: self.x,
        }
    }
}
