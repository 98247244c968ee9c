//! A robot's arm of seven joints: squared distance of its hand from a target, and the gradient by
//! the joints, of one pose and of many.
//!
//! `cargo bench --bench arm` prints nanoseconds a pose beside C with a gradient derived by hand
//! (`opponent/arm.c`), built and run in turn with ours where there is a C compiler. One thread; the
//! best of several rounds of the thread's own time.

mod opponent;
#[path = "works/arm.rs"]
mod robot;

use opponent::worked;
use robot::{ARM, derivation};
use std::hint::black_box;
use std::time::{Duration, Instant};
use symdiff::{Function, Kernel, MapKernel, MapOptions, jit, map_with, parse};

const JOINTS: usize = 7;

const TARGET: [f64; 3] = [0.3, 0.2, 0.5];

/// Value and gradient by the joints, of the joints and the target.
fn derived() -> Function {
    let arm = parse(ARM).expect("it reads");
    derivation().value_and_gradient(&arm).expect("it has a gradient")
}

/// Where each input is: `Ok` of a joint, `Err` of a coordinate of the target.
fn places(function: &Function) -> Vec<Result<usize, usize>> {
    let place = |name: String| match name.strip_prefix('q') {
        Some(number) => Ok(number.parse::<usize>().expect("q1 to q7") - 1),
        None => Err(["x", "y", "z"].iter().position(|n| *n == name).expect("x, y or z")),
    };
    function.scalar_names().into_iter().map(place).collect()
}

/// Joint angles of many poses, in rows.
fn joints(count: usize) -> Vec<f64> {
    let mut random = symdiff::data::Random::new(0, "poses");
    (0..count * JOINTS).map(|_| 6.0 * random.uniform() - 3.0).collect()
}

type Pose = unsafe extern "C" fn(*const f64, *const f64, *mut f64) -> f64;

type Poses = unsafe extern "C" fn(i64, *const f64, *const f64, *mut f64, *mut f64);

/// Panics where one is not the other.
fn assert_same(ours: &[f64], theirs: &[f64]) {
    let is_close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12 * (1.0 + b.abs());
    assert!(ours.iter().zip(theirs).all(is_close), "ours {ours:?}, in C {theirs:?}");
}

/// The least time of each of several works, taken in turn, for `rounds` of it.
fn least<const N: usize>(rounds: usize, mut works: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut best = [f64::INFINITY; N];
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(1_500) {
        for (best, work) in best.iter_mut().zip(&mut works) {
            let before = worked();
            (0..rounds).for_each(|_| work());
            *best = best.min((worked() - before).as_secs_f64() / rounds as f64);
        }
    }
    best
}

fn report(name: &str, count: usize, ours: f64, theirs: Option<f64>) {
    let each = |seconds: f64| seconds * 1e9 / count as f64;
    print!("{name:30} {:8.1} ns a pose, C ", each(ours));
    match theirs {
        Some(theirs) => println!("{:8.1} ns, ratio {:5.2}", each(theirs), ours / theirs),
        None => println!("       -, ratio     -"),
    }
}

/// The kernel of one pose, beside each function of C.
fn one_pose(kernel: &Kernel, places: &[Result<usize, usize>], library: Option<&'static libloading::Library>) {
    let q = joints(1);
    let inputs: Vec<f64> = places.iter().map(|place| place.map_or_else(|t| TARGET[t], |j| q[j])).collect();
    let mut outputs = [0.0; JOINTS + 1];
    let mut ours = || kernel.call(black_box(&inputs), black_box(&mut outputs)).expect("lengths agree");
    ours();
    let found = outputs;
    let mut ours = || kernel.call(black_box(&inputs), black_box(&mut outputs)).expect("lengths agree");
    for (name, row) in [("pose", "one pose"), ("pose_by_vectors", "one pose, sines as vectors")] {
        // SAFETY: the functions have this type in the source.
        let Some(pose) = library.and_then(|l| unsafe { opponent::function::<Pose>(l, name) }) else {
            let [seconds] = least(10_000, [&mut ours]);
            report(row, 1, seconds, None);
            continue;
        };
        let mut theirs = [0.0; JOINTS + 1];
        let mut call = || {
            let gradient = theirs[1..].as_mut_ptr();
            // SAFETY: the function reads seven numbers and three, and writes seven.
            theirs[0] = unsafe { pose(black_box(&q).as_ptr(), black_box(&TARGET).as_ptr(), gradient) };
        };
        call();
        let [a, b] = least(10_000, [&mut ours, &mut call]);
        report(row, 1, a, Some(b));
        assert_same(&found, &theirs);
    }
}

/// The kernel over columns, beside C's loop over rows.
fn many_poses(
    kernel: &MapKernel,
    places: &[Result<usize, usize>],
    library: Option<&'static libloading::Library>,
) {
    const COUNT: usize = 100_000;
    let q = joints(COUNT);
    let columns: Vec<Vec<f64>> = places
        .iter()
        .map(|place| match place {
            Ok(joint) => q.iter().skip(*joint).step_by(JOINTS).copied().collect(),
            Err(t) => vec![TARGET[*t]],
        })
        .collect();
    let inputs: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let mut outputs = vec![vec![0.0; COUNT]; JOINTS + 1];
    let mut ours = || {
        let mut outputs: Vec<&mut [f64]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        kernel.run(&inputs, &mut outputs).expect("lengths agree");
    };
    let (mut value, mut gradient) = (vec![0.0; COUNT], vec![0.0; COUNT * JOINTS]);
    // SAFETY: the function has this type in the source.
    let poses = library.and_then(|l| unsafe { opponent::function::<Poses>(l, "poses") });
    let theirs = poses.map(|poses| {
        let mut call = || {
            let (value, gradient) = (value.as_mut_ptr(), gradient.as_mut_ptr());
            // SAFETY: there are as many rows of each.
            unsafe { poses(COUNT as i64, q.as_ptr(), TARGET.as_ptr(), value, gradient) }
        };
        least(1, [&mut ours, &mut call])
    });
    match theirs {
        Some([a, b]) => report("100000 poses", COUNT, a, Some(b)),
        None => report("100000 poses", COUNT, least(1, [&mut ours])[0], None),
    }
    if theirs.is_some() {
        for row in 0..COUNT {
            let found: Vec<f64> = outputs.iter().map(|column| column[row]).collect();
            assert_same(&found[..1], &value[row..=row]);
            assert_same(&found[1..], &gradient[row * JOINTS..][..JOINTS]);
        }
    }
}

fn main() {
    let library = opponent::build("arm", include_str!("opponent/arm.c"), &[]);
    let function = derived();
    let uniform = ["x", "y", "z"].map(str::to_owned).to_vec();
    let options = MapOptions { uniform, ..MapOptions::default() };
    let kernel = jit(&function).expect("it compiles");
    let many = map_with(&function, &options).expect("it compiles");
    let [derive, scalar, wide] = least(
        1,
        [&mut || drop(derived()), &mut || drop(jit(&function).expect("it compiles")), &mut || {
            drop(map_with(&function, &options).expect("it compiles"))
        }],
    )
    .map(|seconds| seconds * 1e3);
    println!("text to gradient {derive:.2} ms, to a kernel {scalar:.2} ms, to one over columns {wide:.2} ms");
    let places = places(&function);
    one_pose(&kernel, &places, library);
    many_poses(&many, &places, library);
}
