//! Objectives that are sums over indices, value and gradient in one call, against C.
//!
//! `cargo bench --bench sums -- [NAME…] [text]` prints microseconds a call, the ratio to C with
//! hand-derived gradients (cc -O3 -march=native -ffast-math, built here where there is a `cc`),
//! bytes of code, and the time from text to kernel; with `text` the loops as well. One thread; the
//! best of several rounds, both sides in turn; results are compared as well.

use libloading::{Library, Symbol};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use symdiff::{ObjectiveKernel, objective};

/// How long a case is timed for, in all.
const STRETCH: Duration = Duration::from_millis(400);

/// A sum: its name, which is that of the C function, sizes, and the program, `N` in the place of a size.
struct Case(&'static str, &'static [usize], &'static str);

const CASES: &[Case] = &[
    Case(
        "rosenbrock",
        &[2, 10, 100, 1000, 100_000, 1_000_000],
        "dim n = N
         param x[n] = 0
         minimize sum[i = 0:n-1] (100*(x[i + 1] - x[i]^2)^2 + (1 - x[i])^2)",
    ),
    Case(
        "broyden",
        &[1000, 100_000],
        "dim n = N
         param x[n] = 0
         minimize sum[i = 1:n-1] ((3 - 2*x[i])*x[i] - x[i - 1] - 2*x[i + 1] + 1)^2",
    ),
    Case(
        "powell",
        &[1000, 100_000],
        "dim n = N, k = n/2 - 1
         param x[n] = 0
         minimize sum[j = 0:k] ((x[2*j] + 10*x[2*j + 1])^2 + 5*(x[2*j + 2] - x[2*j + 3])^2
             + (x[2*j + 1] - 2*x[2*j + 2])^4 + 10*(x[2*j] - x[2*j + 3])^4)",
    ),
    Case(
        "mixture",
        &[1000],
        "dim n = N, d = 10, k = 25
         input x[n, d]
         param alpha[k] = 0, mu[k, d] = 0, q[k, d] = 0, l[k, d, d] = 0
         low[a, i, j] = if(j < i, l[a, i, j], 0)
         diff[p, a, j] = x[p, j] - mu[a, j]
         z[p, a, i] = exp(q[a, i])*diff[p, a, i] + sum[j] (low[a, i, j]*diff[p, a, j])
         inner[p, a] = alpha[a] + (sum[i] q[a, i]) - 0.5*(sum[i] z[p, a, i]^2)
         fit = sum[p] (logsumexp[a] inner[p, a])
         prior = sum[a, i] (0.5*exp(2*q[a, i]) - q[a, i]) + 0.5*sum[a, i, j] low[a, i, j]^2
         minimize n*logsumexp(alpha) - fit + prior",
    ),
];

const C: &str = r#"
#include <math.h>
#include <stdlib.h>
#include <string.h>

double rosenbrock(long n, const double *data, const double *restrict x, double *restrict g) {
    double f = 0;
    for (long i = 0; i < n - 1; i++) {
        double d = x[i + 1] - x[i] * x[i], e = 1 - x[i];
        f += 100 * d * d + e * e;
    }
    g[0] = -400 * (x[1] - x[0] * x[0]) * x[0] - 2 * (1 - x[0]);
    for (long i = 1; i < n - 1; i++)
        g[i] = 200 * (x[i] - x[i - 1] * x[i - 1]) - 400 * (x[i + 1] - x[i] * x[i]) * x[i] - 2 * (1 - x[i]);
    g[n - 1] = 200 * (x[n - 1] - x[n - 2] * x[n - 2]);
    return f;
}

double broyden(long n, const double *data, const double *restrict x, double *restrict g) {
    double f = 0;
    memset(g, 0, n * sizeof *g);
    for (long i = 1; i < n - 1; i++) {
        double r = (3 - 2 * x[i]) * x[i] - x[i - 1] - 2 * x[i + 1] + 1;
        f += r * r;
        g[i] += 2 * r * (3 - 4 * x[i]);
        g[i - 1] -= 2 * r;
        g[i + 1] -= 4 * r;
    }
    return f;
}

double powell(long n, const double *data, const double *restrict x, double *restrict g) {
    double f = 0;
    memset(g, 0, n * sizeof *g);
    for (long i = 0; i + 3 < n; i += 2) {
        double a = x[i] + 10 * x[i + 1], b = x[i + 2] - x[i + 3], c = x[i + 1] - 2 * x[i + 2],
               d = x[i] - x[i + 3], c3 = c * c * c, d3 = d * d * d;
        f += a * a + 5 * b * b + c * c3 + 10 * d * d3;
        g[i] += 2 * a + 40 * d3;
        g[i + 1] += 20 * a + 4 * c3;
        g[i + 2] += 10 * b - 8 * c3;
        g[i + 3] -= 10 * b + 40 * d3;
    }
    return f;
}

enum { D = 10, K = 25 };

double mixture(long n, const double *x, const double *p, double *g) {
    const double *alpha = p, *mu = alpha + K, *q = mu + K * D, *l = q + K * D;
    double *ga = g, *gm = ga + K, *gq = gm + K * D, *gl = gq + K * D;
    double e[K][D], sum[K], f = 0, inner[K], z[K][D], diff[K][D];
    memset(g, 0, (K + 2 * K * D + K * D * D) * sizeof *g);
    for (int a = 0; a < K; a++) {
        sum[a] = alpha[a];
        for (int i = 0; i < D; i++) {
            e[a][i] = exp(q[a * D + i]);
            sum[a] += q[a * D + i];
        }
    }
    for (long s = 0; s < n; s++) {
        double greatest = -INFINITY, total = 0;
        for (int a = 0; a < K; a++) {
            double square = 0;
            for (int i = 0; i < D; i++) diff[a][i] = x[s * D + i] - mu[a * D + i];
            for (int i = 0; i < D; i++) {
                double t = e[a][i] * diff[a][i];
                for (int j = 0; j < i; j++) t += l[(a * D + i) * D + j] * diff[a][j];
                z[a][i] = t;
                square += t * t;
            }
            inner[a] = sum[a] - 0.5 * square;
            if (inner[a] > greatest) greatest = inner[a];
        }
        for (int a = 0; a < K; a++) total += inner[a] = exp(inner[a] - greatest);
        f -= log(total) + greatest;
        for (int a = 0; a < K; a++) {
            double w = inner[a] / total;
            ga[a] -= w;
            for (int i = 0; i < D; i++) {
                double t = w * z[a][i];
                gq[a * D + i] += t * diff[a][i] * e[a][i] - w;
                gm[a * D + i] -= t * e[a][i];
                for (int j = 0; j < i; j++) {
                    gl[(a * D + i) * D + j] += t * diff[a][j];
                    gm[a * D + j] -= t * l[(a * D + i) * D + j];
                }
            }
        }
    }
    double greatest = -INFINITY, total = 0;
    for (int a = 0; a < K; a++) if (alpha[a] > greatest) greatest = alpha[a];
    for (int a = 0; a < K; a++) total += exp(alpha[a] - greatest);
    f += n * (log(total) + greatest);
    for (int a = 0; a < K; a++) {
        ga[a] += n * exp(alpha[a] - greatest) / total;
        for (int i = 0; i < D; i++) {
            f += 0.5 * e[a][i] * e[a][i] - q[a * D + i];
            gq[a * D + i] += e[a][i] * e[a][i] - 1;
            for (int j = 0; j < i; j++) {
                double t = l[(a * D + i) * D + j];
                f += 0.5 * t * t;
                gl[(a * D + i) * D + j] += t;
            }
        }
    }
    return f;
}
"#;

/// The functions above, compiled.
fn opponent() -> Option<Library> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let name = format!("sums-{}", std::process::id());
    let (source, library) = (folder.join(format!("{name}.c")), folder.join(format!("{name}.so")));
    std::fs::write(&source, C).ok()?;
    let flags = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"];
    let built = Command::new("cc").args(flags).arg(&source).arg("-o").arg(&library).arg("-lm").status();
    if !built.is_ok_and(|status| status.success()) {
        return None;
    }
    // SAFETY: the library is ours and runs nothing when it is loaded.
    unsafe { Library::new(&library).ok() }
}

type Function = unsafe extern "C" fn(i64, *const f64, *const f64, *mut f64) -> f64;

/// Numbers between -1 and 1.
fn numbers(count: usize, first: usize) -> Vec<f64> {
    (first..first + count).map(|i| ((i * 7919) % 10_007) as f64 / 5003.5 - 1.0).collect()
}

/// The kernel, and the best time from text to kernel.
fn compiled(text: &str) -> (ObjectiveKernel, Duration) {
    let mut best = Duration::MAX;
    let mut kernel = None;
    for _ in 0..5 {
        let before = Instant::now();
        kernel = Some(objective(text).expect("the program is right"));
        best = best.min(before.elapsed());
    }
    (kernel.expect("made above"), best)
}

fn compare(Case(name, _, text): &Case, n: usize, c: Option<&Library>) {
    let (mut kernel, compile) = compiled(&text.replace('N', &n.to_string()));
    let mut row = Vec::new();
    let slots = kernel.slots().to_vec();
    for (at, slot) in slots.iter().enumerate() {
        let values = numbers(slot.size(), 1 + at * 31);
        kernel.slot_mut(at).expect("every slot has memory").copy_from_slice(&values);
        row.push(values);
    }
    let inputs: usize = slots.iter().filter(|slot| !slot.is_param).map(|slot| slot.size()).sum();
    let row = row.concat();
    let (data, params) = row.split_at(inputs);
    let mut theirs_gradient = vec![0.0; params.len()];
    let symbol: Option<Symbol<Function>> = c.map(|c| {
        // SAFETY: the C functions have this signature.
        unsafe { c.get(name.as_bytes()) }.expect("in the source")
    });
    let (mut ours, mut theirs) = (f64::INFINITY, f64::INFINITY);
    let (mut value, mut expected) = (0.0, f64::NAN);
    let rounds = (50_000 / params.len()).max(1);
    let start = Instant::now();
    while start.elapsed() < STRETCH {
        let before = Instant::now();
        for _ in 0..rounds {
            value = std::hint::black_box(&mut kernel).run();
        }
        ours = ours.min(before.elapsed().as_secs_f64() / rounds as f64);
        let Some(symbol) = &symbol else { continue };
        let before = Instant::now();
        for _ in 0..rounds {
            // SAFETY: the slices are as long as the function expects for this size.
            expected =
                unsafe { symbol(n as i64, data.as_ptr(), params.as_ptr(), theirs_gradient.as_mut_ptr()) };
        }
        theirs = theirs.min(before.elapsed().as_secs_f64() / rounds as f64);
    }
    let count = slots.iter().filter(|slot| slot.is_param).count();
    let gradient: Vec<f64> = (0..count).flat_map(|k| kernel.gradient(k).expect("made").to_vec()).collect();
    let scale = theirs_gradient.iter().fold(1.0f64, |m, g| m.max(g.abs()));
    let error = gradient.iter().zip(&theirs_gradient).fold(0.0f64, |m, (a, b)| m.max((a - b).abs() / scale));
    let agree = symbol.is_none() || (error < 1e-9 && (value - expected).abs() <= 1e-9 * expected.abs());
    println!(
        "{name:10} n = {n:8}: {:10.3} us, C {:10.3} us, ratio {:5.2}; {:6} bytes, compiled in {compile:?}{}",
        ours * 1e6,
        theirs * 1e6,
        ours / theirs,
        kernel.code_size(),
        if agree { "" } else { "  RESULTS DIFFER" },
    );
    if std::env::args().any(|a| a == "text") {
        println!("{}", kernel.kernel().program());
    }
}

fn main() {
    let c = opponent();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let named = |case: &&Case| words.iter().any(|word| word == case.0);
    let any = CASES.iter().any(|case| named(&case));
    for case in CASES.iter().filter(|case| !any || named(case)) {
        case.1.iter().for_each(|&n| compare(case, n, c.as_ref()));
    }
}
