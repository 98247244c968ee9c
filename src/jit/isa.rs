//! The host as a compilation target, looked at once and shared by every kernel.
//!
//! What must stay true: `fma` here is the feature `loops::lower` contracts for, and the one that
//! `library` picks its functions by.

use crate::error::Error;
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable, Value};
use std::sync::OnceLock;

/// The host: its instruction set and what we ask about it.
pub(super) struct Host {
    pub isa: OwnedTargetIsa,
    /// Fused multiply-add is an instruction.
    pub fma: bool,
    /// Rounding to integers is an instruction.
    pub rounding: bool,
}

impl Host {
    /// The machine we run on; an error where Cranelift knows no such machine.
    pub fn get() -> Result<&'static Host, Error> {
        static HOST: OnceLock<Result<Host, String>> = OnceLock::new();
        HOST.get_or_init(Host::new).as_ref().map_err(|fact| Error::internal("host", fact))
    }

    fn new() -> Result<Host, String> {
        let verifier = if cfg!(debug_assertions) { "true" } else { "false" };
        let mut flags = settings::builder();
        for (name, value) in [
            ("opt_level", "speed"),
            ("enable_verifier", verifier),
            ("is_pic", "false"),
            ("use_colocated_libcalls", "false"),
            // Frames are small and nothing unwinds through a kernel.
            ("unwind_info", "false"),
            ("enable_probestack", "true"),
            ("probestack_strategy", "inline"),
        ] {
            flags.set(name, value).map_err(|e| e.to_string())?;
        }
        let builder = cranelift_native::builder().map_err(str::to_owned)?;
        let isa = builder.finish(settings::Flags::new(flags)).map_err(|e| e.to_string())?;
        let flags = isa.isa_flags();
        let on_x86 = |name: &str| {
            let is_on = |flag: &Value| flag.name == name && flag.as_bool() == Some(true);
            !cfg!(target_arch = "x86_64") || flags.iter().any(is_on)
        };
        Ok(Host { fma: on_x86("has_fma"), rounding: on_x86("has_sse41"), isa })
    }

    /// How the host's C functions are called.
    pub fn call_conv(&self) -> CallConv {
        CallConv::triple_default(self.isa.triple())
    }
}
