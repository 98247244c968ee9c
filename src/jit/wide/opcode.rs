//! THE table of vector instructions: one row holds the mnemonic, the bytes and the operands' layout.
//!
//! What must stay true: a row is an instruction of the Intel manual, volume 2; the test
//! `an_assembler_reads_what_we_write` holds each against the system's disassembler.

/// How operands are laid out in the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Register, register, register or memory.
    Rvm,
    /// Register, register or memory.
    Rm,
    /// Register or memory, register: stores.
    Mr,
    /// Memory, mask register, register: masked stores of AVX2.
    Mvr,
    /// Register, register, count; the number extends the opcode.
    Shift(u8),
    /// As `Rvm`, and a fourth register in the immediate.
    Rvmr,
    /// Register, memory that a vector of integers is an index of; under VEX a mask as well.
    Gather,
    /// As `Rvm` in one of the orders 132, 213 and 231; the row has the first one's byte.
    Fused,
}

/// Which of the operands are something else than whole vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sizes {
    Whole,
    /// The result is half as long.
    HalfResult,
    /// The last operand is half as long.
    HalfOperand,
    /// The last operand is one element in memory.
    Element,
    /// The first operand is one lane of a register, in memory one element.
    First,
    /// The last operand has 128 bits.
    Quarter,
    /// The result is a mask register.
    MaskResult,
    /// All operands are mask registers.
    Masks,
    /// The result is a general register.
    General,
    /// The last operand is a general register, the others one lane.
    FromGeneral,
}

/// The prefix a row has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    /// VEX with 256 bits, EVEX with 512.
    Both,
    /// VEX only, of length bit 0 or 1.
    Vex(u8),
}

/// What is known of an instruction.
pub struct Row {
    pub mnemonic: &'static str,
    /// The mandatory prefix: none, 66, F3, F2 as 0 to 3.
    pub pp: u8,
    /// 0F, 0F38, 0F3A as 1 to 3.
    pub map: u8,
    pub byte: u8,
    /// The W bit under VEX and under EVEX.
    pub w: [u8; 2],
    /// Bytes of an element, for broadcasts and scaled displacements.
    pub element: u8,
    pub layout: Layout,
    pub sizes: Sizes,
    pub prefix: Prefix,
}

macro_rules! opcodes {
    ($($name:ident $mnemonic:literal $pp:literal $map:literal $byte:literal [$vex:literal $evex:literal]
       $element:literal $layout:expr, $sizes:ident, $prefix:expr;)*) => {
        /// A vector or mask instruction.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Opcode { $($name,)* }

        impl Opcode {
            pub const ALL: &'static [Opcode] = &[$(Opcode::$name),*];

            pub fn row(self) -> &'static Row {
                use Layout::*;
                use Prefix::*;
                match self {
                    $(Opcode::$name => const { &Row {
                        mnemonic: $mnemonic, pp: $pp, map: $map, byte: $byte, w: [$vex, $evex],
                        element: $element, layout: $layout, sizes: Sizes::$sizes, prefix: $prefix,
                    } },)*
                }
            }
        }
    };
}

#[rustfmt::skip]
opcodes! {
    // name      mnemonic      pp map byte [VEX.W EVEX.W] element layout, sizes, prefix
    AddPd      "vaddpd"         1 1 0x58 [0 1] 8 Rvm,      Whole,       Both;
    AddPs      "vaddps"         0 1 0x58 [0 0] 4 Rvm,      Whole,       Both;
    SubPd      "vsubpd"         1 1 0x5C [0 1] 8 Rvm,      Whole,       Both;
    SubPs      "vsubps"         0 1 0x5C [0 0] 4 Rvm,      Whole,       Both;
    MulPd      "vmulpd"         1 1 0x59 [0 1] 8 Rvm,      Whole,       Both;
    MulPs      "vmulps"         0 1 0x59 [0 0] 4 Rvm,      Whole,       Both;
    DivPd      "vdivpd"         1 1 0x5E [0 1] 8 Rvm,      Whole,       Both;
    DivPs      "vdivps"         0 1 0x5E [0 0] 4 Rvm,      Whole,       Both;
    MinPd      "vminpd"         1 1 0x5D [0 1] 8 Rvm,      Whole,       Both;
    MinPs      "vminps"         0 1 0x5D [0 0] 4 Rvm,      Whole,       Both;
    MaxPd      "vmaxpd"         1 1 0x5F [0 1] 8 Rvm,      Whole,       Both;
    MaxPs      "vmaxps"         0 1 0x5F [0 0] 4 Rvm,      Whole,       Both;
    SqrtPd     "vsqrtpd"        1 1 0x51 [0 1] 8 Rm,       Whole,       Both;
    SqrtPs     "vsqrtps"        0 1 0x51 [0 0] 4 Rm,       Whole,       Both;
    FmaPd      "vfmadd"         1 2 0x98 [1 1] 8 Fused,    Whole,       Both;
    FmaPs      "vfmadd"         1 2 0x98 [0 0] 4 Fused,    Whole,       Both;
    FmsPd      "vfmsub"         1 2 0x9A [1 1] 8 Fused,    Whole,       Both;
    FmsPs      "vfmsub"         1 2 0x9A [0 0] 4 Fused,    Whole,       Both;
    FnmaPd     "vfnmadd"        1 2 0x9C [1 1] 8 Fused,    Whole,       Both;
    FnmaPs     "vfnmadd"        1 2 0x9C [0 0] 4 Fused,    Whole,       Both;
    FnmsPd     "vfnmsub"        1 2 0x9E [1 1] 8 Fused,    Whole,       Both;
    FnmsPs     "vfnmsub"        1 2 0x9E [0 0] 4 Fused,    Whole,       Both;
    AndPd      "vandpd"         1 1 0x54 [0 1] 8 Rvm,      Whole,       Both;
    AndPs      "vandps"         0 1 0x54 [0 0] 4 Rvm,      Whole,       Both;
    OrPd       "vorpd"          1 1 0x56 [0 1] 8 Rvm,      Whole,       Both;
    OrPs       "vorps"          0 1 0x56 [0 0] 4 Rvm,      Whole,       Both;
    XorPd      "vxorpd"         1 1 0x57 [0 1] 8 Rvm,      Whole,       Both;
    XorPs      "vxorps"         0 1 0x57 [0 0] 4 Rvm,      Whole,       Both;
    AddQ       "vpaddq"         1 1 0xD4 [0 1] 8 Rvm,      Whole,       Both;
    AddD       "vpaddd"         1 1 0xFE [0 0] 4 Rvm,      Whole,       Both;
    SubQ       "vpsubq"         1 1 0xFB [0 1] 8 Rvm,      Whole,       Both;
    SubD       "vpsubd"         1 1 0xFA [0 0] 4 Rvm,      Whole,       Both;
    ShlQ       "vpsllq"         1 1 0x73 [0 1] 8 Shift(6), Whole,       Both;
    ShlD       "vpslld"         1 1 0x72 [0 0] 4 Shift(6), Whole,       Both;
    ShrQ       "vpsrlq"         1 1 0x73 [0 1] 8 Shift(2), Whole,       Both;
    ShrD       "vpsrld"         1 1 0x72 [0 0] 4 Shift(2), Whole,       Both;
    SarQ       "vpsraq"         1 1 0x72 [0 1] 8 Shift(4), Whole,       Both; // EVEX only
    SarD       "vpsrad"         1 1 0x72 [0 0] 4 Shift(4), Whole,       Both;
    CmpPd      "vcmppd"         1 1 0xC2 [0 1] 8 Rvm,      MaskResult,  Both;
    CmpPs      "vcmpps"         0 1 0xC2 [0 0] 4 Rvm,      MaskResult,  Both;
    CmpQ       "vpcmpq"         1 3 0x1F [0 1] 8 Rvm,      MaskResult,  Both; // EVEX only
    CmpD       "vpcmpd"         1 3 0x1F [0 0] 4 Rvm,      MaskResult,  Both; // EVEX only
    EqQ        "vpcmpeqq"       1 2 0x29 [0 1] 8 Rvm,      Whole,       Vex(1);
    EqD        "vpcmpeqd"       1 1 0x76 [0 0] 4 Rvm,      Whole,       Vex(1);
    BlendMPd   "vblendmpd"      1 2 0x65 [0 1] 8 Rvm,      Whole,       Both; // EVEX only
    BlendMPs   "vblendmps"      1 2 0x65 [0 0] 4 Rvm,      Whole,       Both; // EVEX only
    BlendVPd   "vblendvpd"      1 3 0x4B [0 0] 8 Rvmr,     Whole,       Vex(1);
    BlendVPs   "vblendvps"      1 3 0x4A [0 0] 4 Rvmr,     Whole,       Vex(1);
    RndPd      "vrndscalepd"    1 3 0x09 [0 1] 8 Rm,       Whole,       Both; // EVEX only
    RndPs      "vrndscaleps"    1 3 0x08 [0 0] 4 Rm,       Whole,       Both; // EVEX only
    RoundPd    "vroundpd"       1 3 0x09 [0 0] 8 Rm,       Whole,       Vex(1);
    RoundPs    "vroundps"       1 3 0x08 [0 0] 4 Rm,       Whole,       Vex(1);
    ScalefPd   "vscalefpd"      1 2 0x2C [0 1] 8 Rvm,      Whole,       Both; // EVEX only
    ScalefPs   "vscalefps"      1 2 0x2C [0 0] 4 Rvm,      Whole,       Both; // EVEX only
    LoadPd     "vmovupd"        1 1 0x10 [0 1] 8 Rm,       Whole,       Both;
    LoadPs     "vmovups"        0 1 0x10 [0 0] 4 Rm,       Whole,       Both;
    StorePd    "vmovupd"        1 1 0x11 [0 1] 8 Mr,       Whole,       Both;
    StorePs    "vmovups"        0 1 0x11 [0 0] 4 Mr,       Whole,       Both;
    StreamPd   "vmovntpd"       1 1 0x2B [0 1] 8 Mr,       Whole,       Both;
    MovPd      "vmovapd"        1 1 0x28 [0 1] 8 Rm,       Whole,       Both;
    BroadcastQ "vbroadcastsd"   1 2 0x19 [0 1] 8 Rm,       Element,     Both;
    BroadcastD "vbroadcastss"   1 2 0x18 [0 0] 4 Rm,       Element,     Both;
    Widen      "vcvtps2pd"      0 1 0x5A [0 0] 4 Rm,       HalfOperand, Both;
    Narrow     "vcvtpd2ps"      1 1 0x5A [0 1] 8 Rm,       HalfResult,  Both;
    Upper512   "vextractf64x4"  1 3 0x1B [0 1] 8 Mr,       HalfResult,  Both; // EVEX only
    Upper256   "vextractf128"   1 3 0x19 [0 0] 8 Mr,       HalfResult,  Vex(1);
    Join512    "vinsertf64x4"   1 3 0x1A [0 1] 8 Rvm,      HalfOperand, Both; // EVEX only
    Join256    "vinsertf128"    1 3 0x18 [0 0] 8 Rvm,      HalfOperand, Vex(1);
    Blocks512  "vshuff64x2"     1 3 0x23 [0 1] 8 Rvm,      Whole,       Both; // EVEX only
    Blocks256  "vperm2f128"     1 3 0x06 [0 0] 8 Rvm,      Whole,       Vex(1);
    LanesPd    "vpermilpd"      1 3 0x05 [0 1] 8 Rm,       Whole,       Both;
    LanesPs    "vpermilps"      1 3 0x04 [0 0] 4 Rm,       Whole,       Both;
    StoreOnePd "vmovsd"         3 1 0x11 [0 1] 8 Mr,       First,       Both;
    StoreOnePs "vmovss"         2 1 0x11 [0 0] 4 Mr,       First,       Both;
    LoadOnePd  "vmovsd"         3 1 0x10 [0 1] 8 Rm,       First,       Both;
    LoadOnePs  "vmovss"         2 1 0x10 [0 0] 4 Rm,       First,       Both;
    LoadQuarter "vmovups"       0 1 0x10 [0 0] 4 Rm,       Whole,       Vex(0);
    JoinQuarter "vinsertf32x4"  1 3 0x18 [0 0] 4 Rvm,      Quarter,     Both; // EVEX only
    UnpackLowPd  "vunpcklpd"    1 1 0x14 [0 1] 8 Rvm,      Whole,       Both;
    UnpackLowPs  "vunpcklps"    0 1 0x14 [0 0] 4 Rvm,      Whole,       Both;
    UnpackHighPd "vunpckhpd"    1 1 0x15 [0 1] 8 Rvm,      Whole,       Both;
    UnpackHighPs "vunpckhps"    0 1 0x15 [0 0] 4 Rvm,      Whole,       Both;
    GatherPd   "vgatherdpd"     1 2 0x92 [1 1] 8 Gather,   Whole,       Both;
    GatherPs   "vgatherdps"     1 2 0x92 [0 0] 4 Gather,   Whole,       Both;
    MulD       "vpmulld"        1 2 0x40 [0 0] 4 Rvm,      Whole,       Both;
    ToIntPd    "vcvttpd2dq"     1 1 0xE6 [0 1] 8 Rm,       HalfResult,  Both;
    ToIntPs    "vcvttps2dq"     2 1 0x5B [0 0] 4 Rm,       Whole,       Both;
    FromIntPd  "vcvtsi2sd"      3 1 0x2A [1 1] 8 Rvm,      FromGeneral, Both;
    FromIntPs  "vcvtsi2ss"      2 1 0x2A [1 1] 8 Rvm,      FromGeneral, Both;
    MaskLoadPd  "vmaskmovpd"    1 2 0x2D [0 0] 8 Rvm,      Whole,       Vex(1);
    MaskLoadPs  "vmaskmovps"    1 2 0x2C [0 0] 4 Rvm,      Whole,       Vex(1);
    MaskStorePd "vmaskmovpd"    1 2 0x2F [0 0] 8 Mvr,      Whole,       Vex(1);
    MaskStorePs "vmaskmovps"    1 2 0x2E [0 0] 4 Mvr,      Whole,       Vex(1);
    SignsPd    "vmovmskpd"      1 1 0x50 [0 0] 8 Rm,       General,     Vex(1);
    SignsPs    "vmovmskps"      0 1 0x50 [0 0] 4 Rm,       General,     Vex(1);
    KAnd       "kandw"          0 1 0x41 [0 0] 2 Rvm,      Masks,       Vex(1);
    KOr        "korw"           0 1 0x45 [0 0] 2 Rvm,      Masks,       Vex(1);
    KOnes      "kxnorw"         0 1 0x46 [0 0] 2 Rvm,      Masks,       Vex(1);
    KNot       "knotw"          0 1 0x44 [0 0] 2 Rm,       Masks,       Vex(0);
    KMov       "kmovw"          0 1 0x90 [0 0] 2 Rm,       Masks,       Vex(0);
    KStore     "kmovw"          0 1 0x91 [0 0] 2 Mr,       Masks,       Vex(0);
    KTest      "kortestw"       0 1 0x98 [0 0] 2 Rm,       Masks,       Vex(0);
}
