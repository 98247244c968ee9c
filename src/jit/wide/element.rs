//! The numbers columns hold.
//!
//! What must stay true: the trait is implemented here only; kernels lean on the widths being right.

use super::body::Width;
use crate::ir::Precision;
use crate::jit::tensor::Workspace;

/// A number that columns hold: `f64` or `f32`.
pub trait Element: sealed::Sealed + Copy + Default + Send + Sync + 'static {
    const WIDTH: Width;
    const PRECISION: Precision;

    /// The number nearest.
    fn from_f64(x: f64) -> Self;
    fn to_f64(self) -> f64;
    fn plus(self, other: Self) -> Self;

    /// A tensor kernel's input of such numbers.
    fn input(workspace: &mut Workspace, input: usize) -> Option<&mut [Self]>;
    /// A tensor kernel's output of such numbers.
    fn output(workspace: &Workspace, output: usize) -> Option<&[Self]>;
}

mod sealed {
    /// Bounds the trait to this file.
    pub trait Sealed {}
    impl Sealed for f64 {}
    impl Sealed for f32 {}
}

impl Element for f64 {
    const WIDTH: Width = Width::Double;
    const PRECISION: Precision = Precision::F64;

    fn from_f64(x: f64) -> f64 {
        x
    }

    fn to_f64(self) -> f64 {
        self
    }

    fn plus(self, other: f64) -> f64 {
        self + other
    }

    fn input(workspace: &mut Workspace, input: usize) -> Option<&mut [f64]> {
        workspace.input_f64(input)
    }

    fn output(workspace: &Workspace, output: usize) -> Option<&[f64]> {
        workspace.output_f64(output)
    }
}

impl Element for f32 {
    const WIDTH: Width = Width::Single;
    const PRECISION: Precision = Precision::F32;

    fn from_f64(x: f64) -> f32 {
        x as f32
    }

    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    fn plus(self, other: f32) -> f32 {
        self + other
    }

    fn input(workspace: &mut Workspace, input: usize) -> Option<&mut [f32]> {
        workspace.input_f32(input)
    }

    fn output(workspace: &Workspace, output: usize) -> Option<&[f32]> {
        workspace.output_f32(output)
    }
}
