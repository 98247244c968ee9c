//! Weights: what is saved comes back, nothing is lost on a failure, no header is believed.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::data::{Folder, says};
use symdiff::Limits;
use symdiff::data::Random;
use symdiff::weights::{Dtype, Saved, Tensor, load, save};

fn sample(dtype: Dtype) -> Saved {
    let mut random = Random::new(0, "weights test");
    let mut tensor = |name: &str, shape: &[usize]| {
        let values = (0..shape.iter().product()).map(|_| f64::from(random.normal() as f32)).collect();
        Tensor::new(name, shape, values)
    };
    Saved {
        params: vec![
            tensor("W2", &[3, 2]),
            tensor("dense1.W", &[4]),
            tensor("b", &[]),
            tensor("größe", &[1, 1]),
        ],
        states: vec![tensor("m/W2", &[3, 2]), tensor("v/W2", &[3, 2])],
        metadata: [("symdiff.program", "loss = \"a\"\n\\ µ"), ("symdiff.seed", "7"), ("symdiff.clock", "{}")]
            .map(|(key, text)| (key.to_owned(), text.to_owned()))
            .into(),
        dtype,
    }
}

/// The weights come back equal, and the same bytes are written again.
#[track_caller]
fn check(saved: &Saved) {
    let folder = Folder::new(&format!("weights-{:?}-{}", saved.dtype, saved.params.len()));
    let path = folder.0.join("w.safetensors");
    save(&path, saved).expect("it is saved");
    let bytes = fs::read(&path).expect("a file");
    let loaded = load(&path, &Limits::default()).expect("it loads");
    assert_eq!(loaded, *saved);
    save(&path, &loaded).expect("it is saved again");
    assert_eq!(fs::read(&path).expect("a file"), bytes);
    assert_eq!(fs::read_dir(&folder.0).expect("a folder").count(), 1, "a temporary file is left");
}

#[test]
fn what_is_saved_comes_back() {
    check(&sample(Dtype::F64));
    check(&sample(Dtype::F32));
    check(&Saved::default());
    let values = vec![f64::NAN, f64::INFINITY, -0.0, 5e-324];
    let odd = Saved { params: vec![Tensor::new("odd", &[4], values.clone())], ..Saved::default() };
    let folder = Folder::new("odd");
    let path = folder.0.join("w.safetensors");
    save(&path, &odd).expect("it is saved");
    let back = load(&path, &Limits::default()).expect("it loads");
    let bits = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&back.params[0].values), bits(&values));
}

#[test]
fn numbers_are_aligned_for_other_readers() {
    let folder = Folder::new("aligned");
    let path = folder.0.join("w.safetensors");
    save(&path, &sample(Dtype::F64)).expect("it is saved");
    let bytes = fs::read(&path).expect("a file");
    let (length, header) = safetensors::SafeTensors::read_metadata(&bytes).expect("the crate reads it");
    assert_eq!((8 + length) % 8, 0);
    assert_eq!(header.info("optimizer/m/W2").expect("a state").shape, [3, 2]);
}

#[test]
fn parameters_of_another_program_are_refused_with_both_shapes() {
    let saved = sample(Dtype::F64);
    assert_eq!(
        saved.parameters([("b", &[][..]), ("W2", &[3, 2][..])]).expect("they fit")[0],
        saved.params[2].values
    );
    let error = saved.parameters([("W2", &[2, 3][..])]).expect_err("another shape");
    assert!(error.is_data());
    says(&error, &["`W2`", "[3, 2]", "[2, 3]"]);
    says(
        &saved.parameters([("dense1.V", &[4][..])]).expect_err("no such"),
        &["no parameter `dense1.V`", "`dense1.W`"],
    );
    says(&saved.optimizer_states([("s/W2", &[3, 2][..])]).expect_err("no such"), &["optimiser state `s/W2`"]);
}

#[test]
fn tensors_that_contradict_themselves_are_not_saved() {
    let folder = Folder::new("contradict");
    let path = folder.0.join("w.safetensors");
    for params in [
        vec![Tensor::new("W", &[2, 2], vec![1.0])],
        vec![Tensor::new("W", &[], vec![1.0]), Tensor::new("W", &[], vec![2.0])],
        vec![Tensor::new("__metadata__", &[], vec![1.0])],
    ] {
        let error = save(&path, &Saved { params, ..Saved::default() }).expect_err("it is refused");
        assert!(error.is_input(), "{error}");
    }
    assert!(!path.exists());
}

#[test]
fn damaged_files_are_refused_and_never_read_wrongly() {
    let seed = std::process::id();
    let mut random = Random::new(u64::from(seed), "weights fuzz");
    let folder = Folder::new("weights-fuzz");
    let path = folder.0.join("w.safetensors");
    let original = sample(Dtype::F64);
    save(&path, &original).expect("it is saved");
    let sound = fs::read(&path).expect("a file");
    let header = 8 + u64::from_le_bytes(sound[..8].try_into().expect("8 bytes")) as usize;
    for round in 0..2000 {
        let mut bytes = sound.clone();
        for _ in 0..1 + random.below(3) {
            // Mostly in the header: any number is a sound number.
            let range = if random.below(4) == 0 { bytes.len() } else { header.min(bytes.len()) };
            let at = random.below(range as u64) as usize;
            match random.below(4) {
                0 => bytes.truncate(at.max(1)),
                1 => bytes[at] ^= 1 << random.below(8),
                2 => bytes[at] = b"0123456789[]{},:\""[random.below(17) as usize],
                _ => bytes[at] = random.bits() as u8,
            }
        }
        let path = folder.file("damaged.safetensors", &bytes);
        let Ok(loaded) = load(&path, &Limits::default()) else { continue };
        let whole = |t: &Tensor| t.shape.iter().product::<usize>() == t.values.len();
        assert!(loaded.params.iter().chain(&loaded.states).all(whole), "seed {seed}, round {round}");
        let numbers = |s: &Saved| s.params.iter().chain(&s.states).map(|t| t.values.len()).sum::<usize>();
        let bytes_each = if loaded.dtype == Dtype::F32 { 4 } else { 8 };
        assert!(numbers(&loaded) * bytes_each <= bytes.len(), "seed {seed}, round {round}");
    }
}

#[test]
fn lying_headers_are_refused() {
    let folder = Folder::new("lying");
    let with = |header: &str, data: usize| {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.resize(bytes.len() + data, 0);
        bytes
    };
    let one = |dtype: &str, shape: &str, offsets: &str| {
        format!("{{\"a\":{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":{offsets}}}}}")
    };
    for (bytes, words) in [
        (vec![], "fewer than 8 bytes"),
        (vec![1, 2, 3], "fewer than 8 bytes"),
        (u64::MAX.to_le_bytes().to_vec(), "claims 18446744073709551615 bytes"),
        (1_000u64.to_le_bytes().to_vec(), "claims 1000 bytes"),
        (with("{", 0), "JSON"),
        (with(&"[".repeat(100_000), 0), "JSON"),
        (with(&one("F64", "[1]", "[0,8]"), 0), "do not fill"),
        (with(&one("F64", "[1]", "[0,8]"), 16), "do not fill"),
        (with(&one("F64", "[2]", "[0,8]"), 8), "shape does not fit"),
        (with(&one("F64", "[1]", "[8,16]"), 16), "overlaps another or leaves a gap"),
        (with(&one("F64", "[1000000000,1000000000]", "[0,8000000000000000000]"), 8), "overflows"),
        (with(&one("F64", "[18446744073709551615,2]", "[0,8]"), 8), "overflows"),
        (with(&one("F64", "[-1]", "[0,8]"), 8), "JSON"),
        (with(&one("I64", "[1]", "[0,8]"), 8), "type I64"),
        (with(&one("X7", "[1]", "[0,8]"), 8), "JSON"),
        (
            with(
                "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}",
                8,
            ),
            "overlaps",
        ),
    ] {
        let path = folder.file("lie.safetensors", &bytes);
        let error = load(&path, &Limits::default()).expect_err(words);
        assert!(error.is_data(), "{error}");
        says(&error, &["is not a sound weights file", words]);
    }
    let path = folder.file("large.safetensors", &[0; 100]);
    let limits = Limits { weights_bytes: 99, ..Limits::default() };
    assert!(load(&path, &limits).expect_err("too large").is_limit());
    assert!(load(Path::new("/no/such.safetensors"), &limits).expect_err("missing").is_unreadable());
}

#[test]
fn places_that_cannot_be_written_are_said() {
    let folder = Folder::new("places");
    for (path, words) in [
        (folder.0.clone(), "it is a folder"),
        (folder.0.join("none/w.safetensors"), "its folder does not exist"),
        (Path::new("/dev/null").to_owned(), "it is a device"),
        (Path::new("").to_owned(), "cannot save"),
    ] {
        let error = save(&path, &sample(Dtype::F64)).expect_err(words);
        assert!(error.is_data(), "{error}");
        says(&error, &["cannot save", words]);
    }
    assert_eq!(fs::read_dir(&folder.0).expect("a folder").count(), 0);
}

#[cfg(unix)]
#[test]
fn links_and_permissions_are_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new("links");
    let real = folder.file("real.safetensors", b"old");
    let link = folder.0.join("link.safetensors");
    symlink(&real, &link).expect("a link");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).expect("a mode");
    save(&link, &sample(Dtype::F64)).expect("it is saved");
    assert!(fs::symlink_metadata(&link).expect("the link").is_symlink());
    assert_eq!(fs::metadata(&real).expect("the file").permissions().mode() & 0o777, 0o640);
    assert!(load(&real, &Limits::default()).is_ok());
}

/// Set in the process that saves where it may not write so much.
const CHILD: &str = "SYMDIFF_SAVE_UNDER_A_SIZE_LIMIT";

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_old_weights() {
    if let Ok(path) = std::env::var(CHILD) {
        let large =
            Saved { params: vec![Tensor::new("W", &[1 << 20], vec![1.0; 1 << 20])], ..Saved::default() };
        let error = save(Path::new(&path), &large).expect_err("the limit is 4 MiB at most");
        says(&error, &["cannot save", "the old file is untouched"]);
        return;
    }
    let folder = Folder::new("full");
    let path = folder.0.join("w.safetensors");
    save(&path, &sample(Dtype::F64)).expect("it is saved");
    let before = fs::read(&path).expect("a file");
    // Files of at most 64 blocks, and no signal for it: writing on fails as on a full disk.
    let program = std::env::current_exe().expect("this program");
    let shell = "trap '' XFSZ; ulimit -f 64; exec \"$0\" weights::a_full_disk_leaves_the_old_weights --exact";
    let child =
        Command::new("sh").arg("-c").arg(shell).arg(program).env(CHILD, &path).output().expect("a shell");
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    assert_eq!(fs::read(&path).expect("a file"), before);
    assert_eq!(fs::read_dir(&folder.0).expect("a folder").count(), 1, "a temporary file is left");
}

/// Set in the process that saves until it is killed.
const VICTIM: &str = "SYMDIFF_SAVE_UNTIL_KILLED";

#[test]
fn a_kill_while_saving_leaves_the_old_weights_or_the_new() {
    let constant = |value: f64| Saved {
        params: vec![Tensor::new("W", &[1 << 16], vec![value; 1 << 16])],
        ..Saved::default()
    };
    if let Ok(path) = std::env::var(VICTIM) {
        loop {
            save(Path::new(&path), &constant(1.0)).expect("it is saved");
            save(Path::new(&path), &constant(2.0)).expect("it is saved");
        }
    }
    let folder = Folder::new("kill");
    let path = folder.0.join("w.safetensors");
    save(&path, &constant(0.0)).expect("it is saved");
    let program = std::env::current_exe().expect("this program");
    for round in 1..=5 {
        let mut child = Command::new(&program)
            .args(["weights::a_kill_while_saving_leaves_the_old_weights_or_the_new", "--exact"])
            .env(VICTIM, &path)
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("a child");
        std::thread::sleep(std::time::Duration::from_millis(37 * round));
        child.kill().expect("it is killed");
        child.wait().expect("it is dead");
        let values = load(&path, &Limits::default()).expect("it loads").params.remove(0).values;
        assert!(values.iter().all(|&x| x == values[0]), "a mixture of two saves");
    }
}

#[test]
fn python_reads_the_weights() {
    let folder = Folder::new("python");
    let path = folder.0.join("w.safetensors");
    let saved = sample(Dtype::F64);
    save(&path, &saved).expect("it is saved");
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let run = |script: &str| Command::new(&python).arg("-c").arg(script).arg(&path).output();
    if !run("import numpy, safetensors").is_ok_and(|found| found.status.success()) {
        eprintln!("skipped: `{python}` has no numpy and safetensors; set PYTHON to one that has");
        return;
    }
    let script = "
import sys
from safetensors import safe_open
with safe_open(sys.argv[1], 'np') as f:
    print(sorted(f.keys()), f.metadata()['symdiff.seed'], f.get_tensor('W2').shape, f.get_tensor('b').shape)
    print(' '.join(repr(float(x)) for x in f.get_tensor('W2').reshape(-1)))
";
    let output = run(script).expect("Python runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<String> = saved.params[0].values.iter().map(|x| format!("{x:?}")).collect();
    let names = "['W2', 'b', 'dense1.W', 'größe', 'optimizer/m/W2', 'optimizer/v/W2'] 7 (3, 2) ()";
    assert_eq!(
        text,
        format!("{names}\n{}\n", numbers.join(" ")),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
