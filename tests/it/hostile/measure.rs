//! What a hostile hand may type or hand in, and what must be said to it: rows of a command, its input,
//! words of the answer and the exit code. Each runs with a bound on memory and is stopped in time.
//!
//! What must stay true: a row that is refused says where or what, and how to mend it; nothing panics.

use crate::tally::Tally;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Kilobytes of address space a run may have.
const MEMORY: usize = 2_500_000;
/// Seconds of the processor a refusal may take, whatever else the machine does: builds without
/// optimisation get ten times as many.
const SECONDS: u64 = if cfg!(debug_assertions) { 10 } else { 1 };
/// How long it may take by the clock, before it is taken to wait for something that never comes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A text made of pieces.
#[derive(Clone, Copy)]
enum Made {
    Text(&'static str),
    Bytes(&'static [u8]),
    /// So many of the middle one between the others.
    Many(&'static str, &'static str, usize, &'static str),
    /// A part for each number below; `#` stands for the number, `<` for the one before.
    Each(&'static str, &'static str, usize, &'static str),
}

use Made::{Bytes, Each, Many, Text};

impl Made {
    fn bytes(self) -> Vec<u8> {
        match self {
            Text(text) => text.into(),
            Bytes(bytes) => bytes.into(),
            Many(before, piece, count, after) => format!("{before}{}{after}", piece.repeat(count)).into(),
            Each(before, piece, count, after) => {
                let part = |i: usize| piece.replace('#', &(i + 1).to_string()).replace('<', &i.to_string());
                format!("{before}{}{after}", (0..count).map(part).collect::<String>()).into()
            }
        }
    }
}

/// What is run: arguments, where `@name` is a file; standard input; words of the answer; exit code.
type Row = (&'static [&'static str], Made, &'static [&'static str], i32);

const NONE: Made = Text("");
const TRAIN: &[&str] = &["train", "@fit.sd", "-q", "-o", "@out.safetensors", "--data"];

#[rustfmt::skip]
const FORMULAS: &[Row] = &[
    // Size of the text.
    (&["-"], Many("", "(", 1_000_000, "x"),                ["more than 10000 brackets", "<stdin>:1:62"].as_slice(), 65),
    (&["-"], Many("", "|", 1_000_000, "x"),                &["more than 10000 brackets"], 65),
    (&["-"], Many("", "[", 9_000, "x"),                    &["is never closed"], 65),
    (&["-"], Many("x", "+x", 6_000_000, ""),               &["at most 8388608 are read", "split it"], 65),
    (&["-"], Many("", "-", 4_100_000, "x"),                &["more than 4000000 numbers, names and operators"], 65),
    (&["-"], Many("", "1", 20_000, "*x"),                  &["a number of 20000 digits; at most 10000"], 65),
    (&["1e10001*x"], NONE,                                 &["a decimal exponent beyond ±10000"], 65),
    (&["1e99999999999999999999*x"], NONE,                  &["a decimal exponent beyond ±10000"], 65),
    (&["-"], Each("0*x", "+1e<*x", 10_000, ""),            &["the exponents of all numbers add up to more than"], 65),
    // Values that must stay as they are written.
    (&["x^(10^9)"], NONE,                                  &["1000000000*x^999999999"], 0),
    (&["x^(10^(10^9))"], NONE,                             &["10^1000000000*x^(10^1000000000 - 1)"], 0),
    (&["9^9^9^9*x"], NONE,                                 &["9^9^"], 0),
    (&["2^2^2^2^2^2*x"], NONE,                             &["2^2^65536"], 0),
    (&["(x+1)^1000000"], NONE,                             &["1000000*(x + 1)^999999"], 0),
    (&["(x+1)^1000000", "--simplify", "full"], NONE,       &["1000000*(x + 1)^999999"], 0),
    (&["gamma(10^9)*x"], NONE,                             &["gamma(1000000000)"], 0),
    (&["-"], Many("", "√", 20_000, "x"),                   &["sqrt"], 0),
    (&["-"], Many("", "sqrt ", 10_000, "x"),               &["sqrt"], 0),
    (&["eval", "-", "--at", "x=2"], Many("", "√", 20_000, "x"), &["1"], 0),
    // Growth.
    (&["sin(x)", "-n", "1000000"], NONE,                   &["1000000 is not in 0..=1000"], 2),
    (&["sin(x^2)", "-n", "100", "--max-nodes", "200000"], NONE,                     &["the derivatives up to order", "ask for a lower order"], 65),
    (&["x^x", "-n", "1000", "--max-nodes", "200000"], NONE,                         &["the derivatives up to order"], 65),
    (&["-", "--hessian"], Each("0", "+x#*x<", 2_000, ""),  &["a matrix of 2001 × 2001 derivatives", "--wrt"], 65),
    (&["-", "--jacobian"], Each("[0", ",x#", 3_000, "]"), &["a matrix of 3001 × 3000 derivatives"], 65),
    (&["--file", "@double.txt"], NONE,                     &["too large once its definitions are put in", "double.txt"], 65),
    (&["--file", "@shared.txt"], NONE,                     &["t1 = "], 0),
    (&["--file", "@shared.txt", "--simplify", "full"], NONE, &["t1 = "], 0),
    (&["--file", "@shared.txt", "--hessian"], NONE,        &["t1 = "], 0),
    (&["eval", "--file", "@shared.txt", "--at", "x=1"], NONE, &["inf"], 0),
    (&["f(x) = f(x-1); f(y)"], NONE,                       &["itself"], 65),
    // Indices and shapes.
    (&["[x,y][99999999999999999999999]"], NONE,            &["an index must be a whole number"], 65),
    (&["[x,y][0:99999999999]"], NONE,                      &["the index 99999999999 is out of range"], 65),
    (&["-"], Many("", "[", 100, "x]"),                     &["is never closed"], 65),
    // What is no text.
    (&["-"], Bytes(b"x\0+1"),                              &["a NUL byte is not part of the language", "<stdin>:1:2"], 65),
    (&["-"], Bytes(b"x\xFF+1"),                            &["byte 0xFF at offset 1", "save the text as UTF-8"], 65),
    (&["-"], Bytes(b"\xEF\xBB\xBFx^2\n"),                  &["2*x"], 0),
    (&["-"], Bytes(b"\xFF\xFEx\0\n\0"),                    &["UTF-8"], 65),
    // Places that are no files.
    (&["--file", "@."], NONE,                              &["it is a folder"], 66),
    (&["--file", "@none"], NONE,                           &["there is no such file"], 66),
    (&["--file", "@pipe"], NONE,                           &["it is a pipe", "/dev/stdin"], 66),
    (&["--file", "@loop"], NONE,                           &["cannot read"], 66),
    (&["--file", "/dev/zero"], NONE,                       &["at most 8388608 are read"], 65),
    (&["--file", "/dev/stdin"], Text("x^2"),               &["2*x"], 0),
    // Flags.
    (&["eval", "x", "--at", "x=1,x=2"], NONE,              &["gives `x` two values"], 2),
    (&["eval", "x", "--at", "x=((((((((((((((("], NONE,    &["--at"], 2),
    (&["eval", "x", "--at", "x=1e10001"], NONE,            &["inf"], 0),
    (&["minimize", "x^2", "--lr", "1e400"], NONE,          &["a positive number is needed"], 2),
    (&["minimize", "x^2", "--lr", "1", "--steps", "99999999999999999999"], NONE, &["number too large"], 2),
    (&["minimize", "x^2", "--bounds", "x>=1e400"], NONE,   &["no number satisfies"], 2),
    (&["x", "--max-nodes", "-1"], NONE,                    &["invalid"], 2),
];

#[rustfmt::skip]
const PROGRAMS: &[Row] = &[
    (&["@dim.sd"], NONE,                         &["a whole number from 1 to 2³¹ − 1", "this is 1000000000000"], 65),
    (&["@sum.sd"], NONE,                         &["more than the limit of 134217728 elements"], 65),
    (&["@shape.sd"], NONE,                       &["shape [1000000000,1000000000] has more than the limit"], 65),
    (&["eval", "@arena.sd"], NONE,               &["the parameters have 2400000000 bytes; at most 2147483648", "--max-arena-bytes"], 65),
    (&["train", "@step.sd", "-q"], NONE,         &["bytes at once; at most 2147483648", "--max-arena-bytes"], 65),
    (&["@double.sd", "--max-program-nodes", "20000"], NONE,                      &["too large once its functions are put in"], 65),
    (&["@layers.sd", "--max-program-nodes", "20000"], NONE,                      &["too large once its functions are put in"], 65),
    (&["@circle.sd"], NONE,                      &["n → m → n"], 65),
    (&["@itself.sd"], NONE,                      &["`a` is defined by itself"], 65),
    (&["@rank.sd"], NONE,                        &["more than 8 axes"], 65),
    (&["@braces.sd"], NONE,                      &["more than 10000 brackets"], 65),
    (&["@nul.sd"], NONE,                         &["a NUL byte"], 65),
    (&["@bytes.sd"], NONE,                       &["is not UTF-8"], 65),
    (&["@empty.sd"], NONE,                       &["the program is empty"], 65),
    (&["train", "@steps.sd"], NONE,              &["`steps` is a whole number from 1 to below 1e15"], 2),
    (&["train", "@batch.sd"], NONE,              &["a batch of 1000000000000 rows, but there are 3"], 65),
    (&["train", "@pipe", "-q"], NONE,            &["it is a pipe"], 66),
    (&["train", "/dev/zero", "-q"], NONE,        &["at most 8388608 are read"], 65),
    (&["predict", "@pipe"], NONE,                &["it is a pipe"], 66),
    (&["predict", "@."], NONE,                   &["it is a folder"], 66),
    (&["predict", "@lie.safetensors"], NONE,     &["claims 9223372036854775807 bytes"], 65),
    (&["predict", "@shape.safetensors"], NONE,   &["overflows"], 65),
    (&["predict", "@fit.sd"], NONE,              &["is not a sound weights file"], 65),
    (&["predict", "/dev/zero", "--max-weights-bytes", "1000000"], NONE, &["more than the 1000000 bytes"], 65),
    (&["train", "@fit.sd", "-q", "--data", "@ok.csv", "-o", "/dev/full"], NONE, &["it is a device"], 65),
    (&["train", "@fit.sd", "-q", "--data", "@ok.csv", "-o", "@."], NONE, &["it is a folder"], 65),
    (&["train", "@fit.sd", "-q", "--data", "@ok.csv", "-o", "@none/w"], NONE, &["its folder does not exist"], 65),
    (&["train", "@fit.sd", "-q", "--data", "@ok.csv", "-o", "@w", "--log", "@pipe"], NONE, &["it is a pipe"], 65),
    (&["train", "@fit.sd", "-q", "--data", "@ok.csv", "-o", "@w", "--log", "/dev/full"], NONE, &["cannot write the log"], 65),
];

/// A table by its file's name.
type TableRow = (&'static str, &'static [&'static str], i32);

#[rustfmt::skip]
const TABLES: &[TableRow] = &[
    ("ok.csv",       &["loss = "], 0),
    ("wide.csv",     &["line 1: more than the 100000 columns a table may have"], 65),
    ("widening.csv", &["line 2: more than the 100000 columns"], 65),
    ("cell.csv",     &["line 2, column \"x\": a cell of 2000000 bytes"], 65),
    ("labels.csv",   &["the labels of `x`: 0 = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…\""], 0),
    ("quote.csv",    &["a quotation mark of this row is never closed"], 65),
    ("empty.csv",    &["is empty"], 65),
    ("blank.csv",    &["is empty"], 65),
    ("header.csv",   &["has a header and no rows"], 65),
    ("nul.csv",      &["line 2: a zero byte"], 65),
    ("latin.csv",    &["line 2: byte 0xE9 is not UTF-8"], 65),
    ("utf16.csv",    &["is UTF-16 text"], 65),
    ("gzip.csv",     &["is gzip", "unpack it first"], 65),
    ("cr.csv",       &["line 2, column \"x\": \"1\\r2\" is not a number"], 65),
    ("ragged.csv",   &["line 2: 2 cells, but the header has 1"], 65),
    ("infinite.csv", &["line 2, column \"x\": the value is infinite"], 65),
    (".",            &["it is a folder"], 66),
    ("pipe",         &["it is a pipe", "/dev/stdin"], 66),
    ("none.csv",     &["there is no such file"], 66),
    ("loop",         &["cannot read"], 66),
    ("shape.npy",    &["has more than 100000000 numbers"], 65),
    ("overflow.npy", &["has more than 100000000 numbers"], 65),
    ("zero.npy",     &["has more than 100000000 numbers"], 65),
    ("columns.npy",  &["more than the 100000 columns"], 65),
    ("short.npy",    &["80 bytes of numbers, but there are 8"], 65),
    ("header.npy",   &["the header is cut short"], 65),
    ("long.npy",     &["the header claims 4294967295 bytes"], 65),
    ("nested.npy",   &["is not understood"], 65),
    ("objects.npy",  &["the array holds Python objects"], 65),
    ("bomb.npz",     &["unpacks to more than the 1000000 bytes"], 65),
    ("claim.npz",    &["unpacks to more than the 1000000 bytes"], 65),
    ("cut.npz",      &["is not a sound NPZ archive"], 65),
    ("none.npz",     &["there is no such file"], 66),
];

/// One bad line each; a good one follows and is answered.
#[rustfmt::skip]
const LINES: &[(Made, &str)] = &[
    (Text("{}"),                                                          "missing field `expr`"),
    (Text("[]"),                                                          "invalid length 0"),
    (Text("null"),                                                        "invalid type: null"),
    (Text("17"),                                                          "invalid type: integer"),
    (Text("{\"id\":7,"),                                                  "the line ends in the middle"),
    (Text("{\"id\":7,\"expr\":\"x\",\"points\":[]}}"),                                  "trailing characters"),
    (Text("{\"id\":7,\"expr\":1,\"points\":[]}"),                         "expected a string"),
    (Text("{\"id\":7,\"expr\":\"x\",\"points\":[[\"1\"]]}"),              "expected a number"),
    (Text("{\"id\":7,\"expr\":\"x\",\"points\":[[1e999]]}"),              "number out of range"),
    (Text("{\"id\":7,\"expr\":\"x\",\"points\":[[NaN]]}"),                "not JSON"),
    (Text("{\"id\":7,\"expr\":\"x\",\"points\":[[1,2]]}"),                "point 0 has length 2"),
    (Text("{\"id\":7,\"expr\":\"x\",\"vars\":[\"x\",\"x\"],\"points\":[]}"), "declared twice"),
    (Text("{\"id\":7,\"expr\":\"x\\u0000\",\"points\":[]}"),              "a NUL byte"),
    (Bytes(b"{\"id\":7,\"expr\":\"\xFF\"}"),                              "not JSON"),
    (Many("{\"id\":7,\"expr\":\"", "(", 1_000_000, "\",\"points\":[]}"),  "more than 10000 brackets"),
    (Many("", "[", 1_000_000, ""),                                        "invalid type: sequence"),
    (Many("{\"expr\":", "[", 1_000_000, ""),                              "expected a string"),
];

/// Runs the rows, at most so many; there is nothing random in them.
pub fn measure(cases: usize, _seed: u64) -> Tally {
    let place = Place::new("small");
    let mut tally = Tally::default();
    let mut left = cases;
    let mut run = |arguments: &[&str], stdin: Vec<u8>, says: &[&str], exit: i32| {
        if left > 0 {
            left -= 1;
            place.check(&mut tally, arguments, stdin, says, exit);
        }
    };
    for (arguments, stdin, says, exit) in FORMULAS.iter().chain(PROGRAMS) {
        run(arguments, stdin.bytes(), says, *exit);
    }
    for (name, says, exit) in TABLES {
        let mut arguments = TRAIN.to_vec();
        let file = format!("@{name}");
        arguments.push(&file);
        if name.ends_with(".npz") {
            arguments.extend(["--max-table-bytes", "1000000"]);
        }
        run(&arguments, Vec::new(), says, *exit);
    }
    for (line, says) in LINES {
        let good = b"\n{\"id\":8,\"expr\":\"x^2\",\"points\":[[3]]}\n";
        run(
            &["eval", "--jsonl"],
            [&line.bytes()[..], good].concat(),
            &[says, "\"value\":[9],\"grad\":[[6]]"],
            0,
        );
    }
    tally
}

/// The same faults in files of hundreds of megabytes.
pub fn measure_large() -> Tally {
    let place = Place::new("large");
    let mut tally = Tally::default();
    let pieces: [(&str, Made, &[&str]); 5] = [
        ("wide.csv", Each("x", ",c#", 10_000_000, "\n1"), &["more than the 100000 columns"]),
        ("commas.csv", Many("", ",", 100_000_000, ""), &["more than the 100000 columns"]),
        ("cell.csv", Many("x\n", "a", 100_000_000, "\n"), &["a cell of 100000000 bytes"]),
        ("quoted.csv", Many("x\n\"", "a\n", 50_000_000, "\"\n"), &["a cell of 100000000 bytes"]),
        ("blank.csv", Many("", "\n", 100_000_000, ""), &["is empty"]),
    ];
    for (name, made, says) in pieces {
        place.file(name, &made.bytes());
        place.check(&mut tally, &[TRAIN, &[&format!("@{name}")]].concat(), Vec::new(), says, 65);
        let _ = fs::remove_file(place.0.join(name));
    }
    let sum = Many("x", "+x", 50_000_000, "").bytes();
    place.check(&mut tally, &["-"], sum, &["at most 8388608 are read"], 65);
    place.check(
        &mut tally,
        &[TRAIN, &["/dev/zero"]].concat(),
        Vec::new(),
        &["more than the 1073741824 bytes"],
        65,
    );
    for arguments in [["@double.sd"], ["@layers.sd"]] {
        place.check(&mut tally, &arguments, Vec::new(), &["too large once its functions"], 65);
    }
    for expression in ["tanh(x*y)/(x+y)", "x^x", "sin(x^2)"] {
        let arguments = [expression, "-n", "1000"];
        place.check(&mut tally, &arguments, Vec::new(), &["the derivatives up to order"], 65);
    }
    tally
}

/// A folder of hostile files.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let path = std::env::temp_dir().join(format!("symdiff-hostile-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a temporary folder");
        let place = Place(path);
        for (name, made) in FILES {
            place.file(name, &made.bytes());
        }
        place.arrays();
        // A pipe nobody writes, and a link to itself.
        let _ = Command::new("mkfifo").arg(place.0.join("pipe")).status();
        #[cfg(unix)]
        let _ = std::os::unix::fs::symlink(place.0.join("loop"), place.0.join("loop"));
        place
    }

    fn file(&self, name: &str, bytes: &[u8]) {
        fs::write(self.0.join(name), bytes).expect("a temporary file");
    }

    fn arrays(&self) {
        let npy = |descr: &str, shape: &str, numbers: usize| {
            let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}");
            let length = (header.len() as u16).to_le_bytes();
            [b"\x93NUMPY\x01\0".as_slice(), &length, header.as_bytes(), &vec![0; 8 * numbers]].concat()
        };
        self.file("shape.npy", &npy("'<f8'", "(1000000000, 1000000000)", 1));
        self.file("overflow.npy", &npy("'<f8'", "(18446744073709551615, 2)", 1));
        self.file("zero.npy", &npy("'<f8'", "(0, 99999999999999999)", 0));
        self.file("columns.npy", &npy("'<f8'", "(1, 200000)", 200_000));
        self.file("short.npy", &npy("'<f8'", "(10,)", 1));
        self.file("objects.npy", &npy("'|O'", "(1,)", 1));
        self.file("nested.npy", &npy("'<f8'", &"(".repeat(10_000), 1));
        self.file("header.npy", b"\x93NUMPY\x01\0\xFF\xFF{'descr'");
        self.file("long.npy", b"\x93NUMPY\x02\0\xFF\xFF\xFF\xFF{'descr'");
        self.file("bomb.npz", &archive(&zeros(50_000), 258 * 50_000 + 1));
        self.file("claim.npz", &archive(&zeros(10), u32::MAX - 1));
        self.file("cut.npz", &archive(&zeros(10), 2581)[..100]);
        let claim = |header: &str| [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
        let shape = "{\"a\":{\"dtype\":\"F64\",\"shape\":[18446744073709551615,2],\"data_offsets\":[0,0]}}";
        self.file("shape.safetensors", &claim(shape));
        self.file("lie.safetensors", &i64::MAX.to_le_bytes());
    }

    /// Runs the program: did it end in time, with this exit code, saying these words?
    fn check(&self, tally: &mut Tally, arguments: &[&str], stdin: Vec<u8>, says: &[&str], exit: i32) {
        let mut command = Command::new("sh");
        let limited = format!("ulimit -v {MEMORY}; ulimit -t {SECONDS}; exec \"$0\" \"$@\"");
        command.arg("-c").arg(limited).arg(env!("CARGO_BIN_EXE_symdiff")).current_dir(&self.0);
        let path = |a: &&str| a.strip_prefix('@').map_or((*a).into(), |name| self.0.join(name));
        command.args(arguments.iter().map(path));
        let start = Instant::now();
        let found = ended(&mut command, stdin);
        let seconds = start.elapsed().as_secs_f64();
        let shown = arguments.join(" ");
        tally.note(seconds, || shown.clone());
        tally.check(
            found.as_ref().is_ok_and(|(code, text)| {
                *code == exit
                    && says.iter().all(|words| text.contains(words))
                    && !text.contains("panicked")
                    && !text.contains("internal fault")
            }),
            || {
                let (code, text) = found.unwrap_or_else(|why| (-1, why));
                let short: String = text.chars().take(600).collect();
                format!("symdiff {shown}: {seconds:.2} s, exit {code} for {exit}, without {says:?}:\n{short}")
            },
        );
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[rustfmt::skip]
const FILES: &[(&str, Made)] = &[
    ("double.txt",   Each("f0(x)=sin(x)\n", "f#(x)=f<(f<(x))\n", 40, "f40(x)")),
    ("shared.txt",   Each("t0=sin(x)\n", "t#=t<*t<+t<\n", 60, "t60")),
    ("fit.sd",       Text("input x\nparam w = 1\nloss = (w-x)^2\ntrain { steps = 3 }")),
    ("dim.sd",       Text("dim n = 10^12\nparam w[n] = 0\nloss = sum(w^2)")),
    ("sum.sd",       Text("param w = 0\nloss = sum[i = 0:2000000000] sin(w*i)")),
    ("shape.sd",     Text("param W[1000000000,1000000000] = 0\nloss = sum(W)")),
    ("arena.sd",     Text("param A[10000,10000] = 0, B[10000,10000] = 0, C[10000,10000] = 0\nloss = sum(A*B*C)")),
    ("step.sd",      Text("input x\nparam w[8000,8000] = 0.1\nloss = sum(tanh(w)@tanh(w))*x\ndata { x = [1] }\ntrain { optimizer = adam() }")),
    ("double.sd",    Each("f0(x) = sin(x)\n", "f#(x) = f<(x)+f<(x+#)\n", 40, "input x\nparam w = 1\nloss = f40(x*w)")),
    ("layers.sd",    Each("layer l0(x) {\n param w=1\n w*x }\n", "layer l#(x) {\n l<(l<(x)) }\n", 40, "input x\nloss = l40(x)")),
    ("circle.sd",    Text("dim n = m\ndim m = n\nparam w[n] = 0\nloss = sum(w)")),
    ("itself.sd",    Text("layer a(x) { a(x) }\ninput x\nloss = a(x)")),
    ("rank.sd",      Text("param w[1,1,1,1,1,1,1,1,1] = 1\nloss = sum(w)")),
    ("braces.sd",    Many("", "{", 1_000_000, "")),
    ("nul.sd",       Bytes(b"input x\0\nloss = x")),
    ("bytes.sd",     Bytes(b"input x\xFF\nloss = x")),
    ("empty.sd",     Text("")),
    ("steps.sd",     Text("param w = 1\nloss = w^2\ntrain { steps = 1000000000000000000 }")),
    ("batch.sd",     Text("input x\nparam w = 1\nloss = (w-x)^2\ndata { x = [1, 2, 3] }\ntrain { batch = 1000000000000 }")),
    ("ok.csv",       Text("x\n1\n2\n")),
    ("wide.csv",     Each("x", ",c#", 200_000, "\n1\n")),
    ("widening.csv", Many("x\n1", ",1", 200_000, "\n")),
    ("cell.csv",     Many("x\n", "a", 2_000_000, "\n")),
    ("labels.csv",   Many("x\n", "a", 100_000, "\nb\n")),
    ("quote.csv",    Many("x\n\"", "1\n", 100_000, "")),
    ("empty.csv",    Text("")),
    ("blank.csv",    Many("", "\n", 100_000, "")),
    ("header.csv",   Text("x\n")),
    ("nul.csv",      Bytes(b"x\n1\0\n")),
    ("latin.csv",    Bytes(b"x\n\xE9\n")),
    ("utf16.csv",    Bytes(b"\xFF\xFEx\0\n\0")),
    ("gzip.csv",     Bytes(b"\x1F\x8B\x08\0")),
    ("cr.csv",       Text("x\n\"1\r2\"\n3\n")),
    ("ragged.csv",   Text("x\n1,2\n")),
    ("infinite.csv", Text("x\n1e999\n")),
];

/// The exit code, and all that was printed; stopped where it takes too long.
fn ended(command: &mut Command, stdin: Vec<u8>) -> Result<(i32, String), String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).env_remove("RUST_BACKTRACE");
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let mut pipe = child.stdin.take().expect("it is piped");
    // The program may end without reading all of it.
    let writer = std::thread::spawn(move || drop(pipe.write_all(&stdin)));
    let id = child.id();
    let (done, waiting) = std::sync::mpsc::channel::<()>();
    let guard = std::thread::spawn(move || {
        if waiting.recv_timeout(PATIENCE).is_err() {
            let _ = Command::new("kill").args(["-9", &id.to_string()]).status();
        }
    });
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let _ = done.send(());
    guard.join().expect("it never panics");
    writer.join().expect("it never panics");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    output.status.code().map(|code| (code, text.clone())).ok_or(format!("a signal ended it: {text}"))
}

/// A compressed stream of a zero, then 258 more for each match.
fn zeros(matches: usize) -> Vec<u8> {
    // A last block of fixed codes: the literal 0 is 00110000, length 258 is 11000101, distance 1 is 00000.
    let mut bits: Vec<u8> = vec![1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0];
    (0..matches).for_each(|_| bits.extend([1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]));
    bits.extend([0; 7]);
    bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |sum, bit| 2 * sum + bit)).collect()
}

/// An archive of `x.npy`, compressed, of so many bytes as it says.
fn archive(compressed: &[u8], claimed: u32) -> Vec<u8> {
    let sizes =
        [&[8, 0], &[0; 8][..], &(compressed.len() as u32).to_le_bytes(), &claimed.to_le_bytes()].concat();
    let local = [b"PK\x03\x04\x14\0\0\0", &sizes[..], &[5, 0, 0, 0], b"x.npy", compressed].concat();
    let central = [b"PK\x01\x02\x14\0\x14\0\0\0", &sizes[..], &[5, 0], &[0; 16], b"x.npy"].concat();
    let place = [(central.len() as u32).to_le_bytes(), (local.len() as u32).to_le_bytes()].concat();
    let end = [b"PK\x05\x06\0\0\0\0\x01\0\x01\0", &place[..], &[0, 0]].concat();
    [local, central, end].concat()
}
