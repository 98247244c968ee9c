/* Sums over indices, value and hand-derived gradient: what `benches/sums.rs` is measured beside. */

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
