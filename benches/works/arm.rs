//! A robot's arm of seven joints.

use symdiff::{Derivation, Purpose};

/// The arm, from the hand to the foot: each joint turns a point about its axis, after a link has
/// moved it and turned the axes (Denavit and Hartenberg's d, a and a quarter turn).
pub const ARM: &str = "
x7 = 0.1*cos(q7)
y7 = 0.1*sin(q7)
x6 = (x7 + 0.088)*cos(q6) + 0.307*sin(q6)
y6 = (x7 + 0.088)*sin(q6) - 0.307*cos(q6)
x5 = x6*cos(q5) + y7*sin(q5)
y5 = x6*sin(q5) - y7*cos(q5)
z5 = y6 + 0.384
x4 = (x5 - 0.0825)*cos(q4) - z5*sin(q4)
y4 = (x5 - 0.0825)*sin(q4) + z5*cos(q4)
x3 = (x4 + 0.0825)*cos(q3) - y5*sin(q3)
y3 = (x4 + 0.0825)*sin(q3) + y5*cos(q3)
z3 = y4 + 0.316
x2 = x3*cos(q2) + z3*sin(q2)
y2 = x3*sin(q2) - z3*cos(q2)
x1 = x2*cos(q1) - y3*sin(q1)
y1 = x2*sin(q1) + y3*cos(q1)
z1 = 0.333 - y2
(x1 - x)^2 + (y1 - y)^2 + (z1 - z)^2";

/// Value and gradient by the joints.
pub fn derivation() -> Derivation {
    let joints = (1..=7).map(|i| format!("q{i}")).collect();
    Derivation { wrt: Some(joints), purpose: Purpose::Compute, ..Derivation::default() }
}
