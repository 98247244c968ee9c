//! Trainings killed at random moments and resumed, until they end: their weights and logs against those of
//! a run that nobody disturbed.

use crate::tally::Tally;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use symdiff::Limits;
use symdiff::data::Random;
use symdiff::weights::load;

/// Batches in random order, noise, states of an optimiser, a best score: all that a run has to take up.
const PROGRAM: &str = "input x[3], y
h = x |> dense(16, tanh) |> dropout(0.1)
loss = mse(sum(h |> dense(1)), y)
train { optimizer = adam(lr = 0.01), epochs = 150, batch = 20, seed = 3, validation = 0.2, patience = 1000 }
data { file = \"rows.csv\" , x = a:c, y = y }
";

/// A folder with the program and its data.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let path = std::env::temp_dir().join(format!("symdiff-crash-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a temporary folder");
        let mut random = Random::new(5, "rows");
        let mut rows = "a,b,c,y\n".to_owned();
        for _ in 0..200 {
            let x: [f64; 3] = std::array::from_fn(|_| random.normal());
            rows += &format!("{},{},{},{}\n", x[0], x[1], x[2], x[0] * x[1] - x[2]);
        }
        fs::write(path.join("rows.csv"), rows).expect("a file");
        fs::write(path.join("net.sd"), PROGRAM).expect("a file");
        Place(path)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_symdiff"));
        command.args(arguments).current_dir(&self.0).env_remove("RUST_BACKTRACE");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program runs")
    }

    /// A run that saves at each report, from the beginning or from where the weights are.
    fn train(&self, weights: &str, log: &str, more: &[&str]) -> Command {
        let mut arguments = vec!["train", "net.sd", "-q", "-o", weights, "--log", log, "--save-every", "0"];
        if self.0.join(weights).exists() {
            arguments.extend(["--resume", weights]);
        }
        arguments.extend(more);
        self.command(&arguments)
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap_or_default()
    }

    fn is_sound(&self, name: &str) -> bool {
        let path = self.0.join(name);
        !path.exists() || load(&path, &Limits::default()).is_ok()
    }

    /// Temporary files beside the others.
    fn leftovers(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0).expect("a folder").flatten().map(|entry| entry.file_name());
        names.filter_map(|name| name.into_string().ok()).filter(|name| name.ends_with(".tmp")).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a process printed.
fn words(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

/// Kills runs at random moments, `kills` times in all; after each the weights load, and each run that
/// ends has the weights and the log of the undisturbed one.
pub fn kills(kills: usize, seed: u64) -> Tally {
    let place = Place::new("kills");
    let mut tally = Tally::default();
    let start = Instant::now();
    let whole = place.train("whole.safetensors", "whole.jsonl", &[]).output().expect("the program runs");
    let took = start.elapsed().as_millis() as u64;
    tally.check(whole.status.success(), || format!("undisturbed: {}", words(&whole)));
    let mut random = Random::new(seed, "kills");
    let mut done = 0;
    while done < kills {
        for name in ["w.safetensors", "w.jsonl"] {
            let _ = fs::remove_file(place.0.join(name));
        }
        // Until it ends by itself; later ones get more time, so that it does.
        for attempt in 1.. {
            let wait = Duration::from_millis(random.below(took * attempt / 4 + 20));
            let mut child = place.train("w.safetensors", "w.jsonl", &[]).spawn().expect("the program runs");
            if ended_within(&mut child, wait) {
                let output = child.wait_with_output().expect("it has ended");
                tally.check(output.status.success(), || format!("resumed: {}", words(&output)));
                break;
            }
            done += 1;
            kill(&mut child);
            tally.check(place.is_sound("w.safetensors"), || format!("seed {seed}, kill {done}: half a file"));
        }
        for (name, whole) in [("w.safetensors", "whole.safetensors"), ("w.jsonl", "whole.jsonl")] {
            let same = place.bytes(name) == place.bytes(whole);
            tally.check(same, || format!("seed {seed}, after {done} kills: {name} is not {whole}"));
        }
        tally.check(place.leftovers().is_empty(), || format!("left over: {:?}", place.leftovers()));
    }
    tally
}

fn ended_within(child: &mut Child, wait: Duration) -> bool {
    let start = Instant::now();
    while start.elapsed() < wait {
        if child.try_wait().is_ok_and(|status| status.is_some()) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    false
}

fn kill(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.kill();
    child.wait().expect("it is dead");
}

/// Ctrl-C and a request to terminate: the run stops after the step, saves, says so, and goes on to the bit.
pub fn signals() -> Tally {
    let mut tally = Tally::default();
    for signal in ["INT", "TERM"] {
        let place = Place::new(signal);
        let mut child =
            place.train("w.safetensors", "w.jsonl", &["--steps", "100000000"]).spawn().expect("it runs");
        let start = Instant::now();
        while !place.0.join("w.safetensors").exists() && start.elapsed() < Duration::from_secs(30) {
            ended_within(&mut child, Duration::from_millis(10));
        }
        let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
        tally.check(sent.is_ok_and(|status| status.success()), || "no signal was sent".to_owned());
        let output = child.wait_with_output().expect("it ends");
        let said = words(&output);
        let told = output.status.code() == Some(130) && said.contains("interrupted after step");
        tally.check(told && said.contains("--resume w.safetensors"), || format!("{signal}: {said}"));
        let step = said
            .split("interrupted after step ")
            .nth(1)
            .and_then(|s| s.split(';').next()?.parse::<u64>().ok());
        let steps = (step.unwrap_or(0) + 37).to_string();
        let resumed =
            place.train("w.safetensors", "w.jsonl", &["--steps", &steps]).output().expect("it runs");
        let whole =
            place.train("whole.safetensors", "whole.jsonl", &["--steps", &steps]).output().expect("it runs");
        tally.check(resumed.status.success() && whole.status.success(), || words(&resumed));
        let same = params(&place.0.join("w.safetensors")) == params(&place.0.join("whole.safetensors"));
        tally.check(same, || format!("{signal} after step {step:?}: other weights"));
    }
    tally
}

/// The bits of the parameters in a file.
fn params(path: &Path) -> Vec<u64> {
    let saved = load(path, &Limits::default()).expect("weights");
    saved.params.iter().flat_map(|tensor| tensor.values.iter().map(|x| x.to_bits())).collect()
}

/// Two runs on one file: it always loads, and in the end it is the one's or the other's.
pub fn rivals() -> Tally {
    let place = Place::new("rivals");
    let mut tally = Tally::default();
    let seeds = ["11", "12"];
    for seed in seeds {
        let output =
            place.train(&format!("{seed}.safetensors"), &format!("{seed}.jsonl"), &["--seed", seed]).output();
        tally.check(output.is_ok_and(|output| output.status.success()), || format!("seed {seed}"));
    }
    let start = |seed: &&str| {
        place.train("w.safetensors", &format!("w{seed}.jsonl"), &["--seed", seed]).spawn().expect("it runs")
    };
    let mut running: Vec<Child> = seeds.iter().map(start).collect();
    while running.iter_mut().any(|child| child.try_wait().is_ok_and(|status| status.is_none())) {
        tally.check(place.is_sound("w.safetensors"), || "half a file".to_owned());
        std::thread::sleep(Duration::from_millis(5));
    }
    for child in running {
        let output = child.wait_with_output().expect("it has ended");
        tally.check(output.status.success(), || words(&output));
    }
    let found = place.bytes("w.safetensors");
    let one_of = seeds.iter().any(|seed| found == place.bytes(&format!("{seed}.safetensors")));
    tally.check(one_of, || "the weights are neither's".to_owned());
    tally.check(place.leftovers().is_empty(), || format!("left over: {:?}", place.leftovers()));
    tally
}

/// A disk that takes a few kilobytes: what was there stays, and what happened is said.
pub fn full_disk() -> Tally {
    let place = Place::new("full");
    let mut tally = Tally::default();
    let start = place.train("w.safetensors", "w.jsonl", &["--steps", "5"]).output();
    tally.check(start.is_ok_and(|output| output.status.success()), || "the first run".to_owned());
    fs::write(place.0.join("o.csv"), "old").expect("a file");
    let rows: String = (0..5000).map(|i| format!("{i}.25\n")).collect();
    fs::write(place.0.join("many.csv"), format!("x\n{rows}")).expect("a file");
    let before = [place.bytes("w.safetensors"), place.bytes("o.csv")];
    let commands: [&[&str]; 3] = [
        &["train", "net.sd", "-q", "-o", "w.safetensors"],
        &["eval", "sin(x)*1e100", "--data", "many.csv", "--out", "o.csv"],
        &["train", "net.sd", "-q", "-o", "w.safetensors", "--save-every", "0"],
    ];
    for arguments in commands {
        // Files of two blocks, and no signal for it: writing on fails as on a full disk.
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg("trap '' XFSZ; ulimit -f 2; exec \"$0\" \"$@\"")
            .arg(env!("CARGO_BIN_EXE_symdiff"));
        let output = command.args(arguments).current_dir(&place.0).output().expect("a shell");
        let said = words(&output);
        let told =
            output.status.code() == Some(65) && said.contains("cannot save") && said.contains("is untouched");
        tally.check(told, || format!("{arguments:?}: {said}"));
        let kept = [place.bytes("w.safetensors"), place.bytes("o.csv")] == before;
        tally.check(kept, || format!("{arguments:?}: the old file is changed"));
        tally.check(place.leftovers().is_empty(), || format!("left over: {:?}", place.leftovers()));
    }
    // Results on a device that is full.
    for arguments in [&["x^2"][..], &["emit", "sin(x)"], &["eval", "x", "--at", "x=1"]] {
        let mut command = Command::new("sh");
        command.arg("-c").arg("exec \"$0\" \"$@\" > /dev/full").arg(env!("CARGO_BIN_EXE_symdiff"));
        let output = command.args(arguments).output().expect("a shell");
        let told = output.status.code().is_some_and(|code| code != 0) && words(&output).contains("error");
        tally.check(told, || {
            format!("{arguments:?} on a full device: {:?} {}", output.status, words(&output))
        });
    }
    tally
}

/// Files that killed runs left are removed by the next save; those that are being written are not.
pub fn leftovers() -> Tally {
    let place = Place::new("leftovers");
    let mut tally = Tally::default();
    let dead = place.0.join(".w.safetensors.999999-0.tmp");
    let alive = place.0.join(".w.safetensors.999998-0.tmp");
    let other = place.0.join(".w.safetensors.notes.tmp");
    for path in [&dead, &alive, &other] {
        fs::write(path, "half a fi").expect("a file");
    }
    let held = fs::File::open(&alive).expect("a file");
    held.lock().expect("a lock");
    let output = place.run(&["train", "net.sd", "-q", "-o", "w.safetensors", "--steps", "3"]);
    tally.check(output.status.success(), || words(&output));
    tally.check(!dead.exists(), || "a leftover stays".to_owned());
    tally.check(alive.exists() && other.exists(), || "a file that is another's is gone".to_owned());
    tally
}

/// All of it, with so many kills.
pub fn measure(count: usize, seed: u64) -> Tally {
    let mut tally = kills(count, seed);
    for other in [signals(), rivals(), full_disk(), leftovers()] {
        tally.add(other);
    }
    tally
}
