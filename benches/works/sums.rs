//! Objectives that are sums over indices.

/// A sum: its name, which is that of the C function, sizes, and the program, `N` in the place of a size.
pub struct Case(pub &'static str, pub &'static [usize], pub &'static str);

pub const CASES: &[Case] = &[
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
        &[200, 1000],
        "dim n = N, d = 10, k = 25
         input x[n, d]
         param alpha[k] = 0, mu[k, d] = 0, q[k, d] = 0, l[k, d, d] = 0
         low[a, i, j] = if(j < i, l[a, i, j], 0)
         factor[a, i, j] = if(j == i, exp(q[a, i]), low[a, i, j])
         diff[p, a, j] = x[p, j] - mu[a, j]
         z[p, a, i] = sum[j] factor[a, i, j]*diff[p, a, j]
         inner[p, a] = alpha[a] + (sum[i] q[a, i]) - 0.5*(sum[i] z[p, a, i]^2)
         fit = sum[p] (logsumexp[a] inner[p, a])
         prior = sum[a, i] (0.5*exp(2*q[a, i]) - q[a, i]) + 0.5*sum[a, i, j] low[a, i, j]^2
         minimize n*logsumexp(alpha) - fit + prior",
    ),
];
