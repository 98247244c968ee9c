//! The one integration-test binary: a module a topic.

mod arrays;
mod binding;
mod cases;
mod cli;
mod data;
mod derivatives;
mod elaborate;
mod elementary;
mod examples;
mod jit;
mod minimize;
mod objectives;
mod print;
mod program;
mod program_faults;
mod properties;
mod randomness;
mod readme;
mod rules;
mod saturate;
mod size;
mod syntax;
mod tensor;
mod tensors;
mod tidy;
mod weights;
