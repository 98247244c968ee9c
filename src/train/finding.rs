//! What a diagnosis finds: causes in the order in which they are causes of each other.
//!
//! What must stay true: the order of [`Cause`] is that of the report; a cause stands before what it
//! brings about.

use crate::error::Diagnostic;

macro_rules! causes {
    ($($(#[$meta:meta])* $variant:ident $name:literal;)*) => {
        /// Why a training goes wrong, upstream first.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Cause { $($(#[$meta])* $variant,)* }

        impl Cause {
            /// All of them, upstream first.
            pub const ALL: &[Cause] = &[$(Cause::$variant,)*];

            /// Its name in kebab-case.
            pub fn name(self) -> &'static str {
                match self { $(Cause::$variant => $name,)* }
            }
        }
    };
}

#[rustfmt::skip]
causes! {
    /// The data has numbers that are none.
    DataNotFinite       "data-not-finite";
    /// What is to be predicted never varies.
    ConstantTarget      "constant-target";
    /// What is to be predicted is outside of what the loss takes.
    TargetRange         "target-range";
    /// The output cannot reach what it is compared with.
    OutputRange         "output-range";
    /// A loss that takes logits is given probabilities.
    DoubleSoftmax       "double-softmax";
    /// A parameter's influence ends at a jump, a comparison or an argmax.
    CutOff              "cut-off";
    /// A parameter or input the objective does not use.
    Unused              "unused";
    /// The objective can be made better without end.
    Unbounded           "unbounded";
    /// Units that begin alike stay alike.
    Symmetric           "symmetric-units";
    /// Numbers of very different, or very large, size.
    Scale               "scale";
    /// A feature that never varies.
    ConstantFeature     "constant-feature";
    /// A feature that is another one again.
    DuplicateFeature    "duplicate-feature";
    /// A recurrence whose states grow without end.
    ExplodingScan       "exploding-scan";
    /// An operation outside its domain.
    Undefined           "undefined-operation";
    /// Units that are 0 for every example.
    DeadUnits           "dead-units";
    /// Units at the flat ends of their function.
    Saturated           "saturated-units";
    /// The first layers hardly have a gradient.
    Vanishing           "vanishing-gradient";
    /// The gradient is huge from the beginning.
    Exploding           "exploding-gradient";
    /// The rate is too large for the curvature.
    RateTooHigh         "rate-too-high";
    /// The rate is so small that nothing happens.
    RateTooLow          "rate-too-low";
    /// The bound on the gradient is always reached.
    Clipped             "always-clipped";
    /// Weight decay holds the parameters where they are.
    Decay               "weight-decay";
    /// Dropout leaves too little.
    Dropout             "dropout";
    /// Parameters that rest on their bounds.
    Pinned              "at-bound";
    /// A number beyond the largest one.
    Overflow            "overflow";
    /// A parameter whose gradient is 0.
    ZeroGradient        "zero-gradient";
    /// Something else stopped the run.
    Diverged            "diverged";
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// It keeps the program from working or learning.
    Fault,
    /// It is worth knowing, and does no harm by itself.
    Note,
}

impl Grade {
    /// Its name in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Grade::Fault => "fault",
            Grade::Note => "note",
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug)]
pub struct Finding {
    pub cause: Cause,
    pub grade: Grade,
    /// What, with the numbers it rests on; where; what to do.
    pub diagnostic: Diagnostic,
    /// It stands before the other faults: the run failed there.
    pub leads: bool,
    /// The numbers by name.
    pub numbers: Vec<(&'static str, f64)>,
}

impl Finding {
    /// Something that keeps the program from working.
    pub fn fault(cause: Cause, diagnostic: Diagnostic) -> Finding {
        Finding { cause, grade: Grade::Fault, diagnostic, leads: false, numbers: Vec::new() }
    }

    /// Something worth knowing.
    pub fn note(cause: Cause, diagnostic: Diagnostic) -> Finding {
        let diagnostic = Diagnostic { severity: crate::Severity::Note, ..diagnostic };
        Finding { cause, grade: Grade::Note, diagnostic, leads: false, numbers: Vec::new() }
    }

    /// Standing before the other faults.
    pub fn leading(self) -> Finding {
        Finding { leads: true, ..self }
    }

    /// With one of the numbers it rests on.
    pub fn with(mut self, name: &'static str, number: f64) -> Finding {
        self.numbers.push((name, number));
        self
    }
}
