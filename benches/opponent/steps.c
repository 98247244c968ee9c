// Training steps as a C programmer writes them: fused loops, libmvec, OpenBLAS for large products.
//
// Every net has `NAME_load(parameters, x, y, examples)`, which takes doubles in the order of the
// program's parameters and tables, and `NAME_run(first, steps, rows)`, which makes so many steps
// after the first `first`, each on its own batch of `rows`, and gives the last step's loss. Where there is
// `NAME_vectors_run`, that is the same step with intrinsics.

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// ---------------------------------------------------------------- xor 2-8-1, gradient descent

enum { UNITS = 8, CASES = 4 };

static struct {
    _Alignas(64) double w[2][UNITS], b[UNITS], v[UNITS], c;
    _Alignas(64) double x[CASES][2], y[CASES];
} xor;

void xor_load(const double *p, const double *x, const double *y, long examples) {
    (void)examples;
    for (int j = 0; j < UNITS; j++) {
        xor.w[0][j] = p[2 * j], xor.w[1][j] = p[2 * j + 1];
        xor.b[j] = p[2 * UNITS + j], xor.v[j] = p[3 * UNITS + j];
    }
    xor.c = p[4 * UNITS];
    memcpy(xor.x, x, sizeof xor.x);
    memcpy(xor.y, y, sizeof xor.y);
}

double xor_run(long first, long steps, const uint32_t *rows) {
    (void)first, (void)rows;
    const double rate = 0.5;
    double loss = 0;
    for (long step = 0; step < steps; step++) {
        double dw[2][UNITS] = {{0}}, db[UNITS] = {0}, dv[UNITS] = {0}, dc = 0;
        loss = 0;
        for (int e = 0; e < CASES; e++) {
            double h[UNITS], z = xor.c;
            for (int j = 0; j < UNITS; j++) {
                h[j] = tanh(xor.w[0][j] * xor.x[e][0] + xor.w[1][j] * xor.x[e][1] + xor.b[j]);
                z += xor.v[j] * h[j];
            }
            double t = exp(-fabs(z)), r = 1 / (1 + t), dz = ((z > 0 ? r : t * r) - xor.y[e]) / 4;
            loss += ((z > 0 ? z : 0) - xor.y[e] * z + log1p(t)) / 4;
            for (int j = 0; j < UNITS; j++) {
                double da = xor.v[j] * dz * (1 - h[j] * h[j]);
                dv[j] += h[j] * dz, db[j] += da;
                dw[0][j] += da * xor.x[e][0], dw[1][j] += da * xor.x[e][1];
            }
            dc += dz;
        }
        for (int j = 0; j < UNITS; j++) {
            xor.w[0][j] -= rate * dw[0][j], xor.w[1][j] -= rate * dw[1][j];
            xor.b[j] -= rate * db[j], xor.v[j] -= rate * dv[j];
        }
        xor.c -= rate * dc;
    }
    return loss;
}

#ifdef __AVX512F__
#include <immintrin.h>
__m512d _ZGVeN8v_exp(__m512d);
__m256d _ZGVdN4v_exp(__m256d), _ZGVdN4v_log(__m256d);

// 1 / x to the last bit but one, without the divider.
static inline __m512d reciprocal(__m512d x) {
    __m512d r = _mm512_rcp14_pd(x), two = _mm512_set1_pd(2);
    r *= _mm512_fnmadd_pd(x, r, two);
    return r * _mm512_fnmadd_pd(x, r, two);
}

// The sums of four vectors.
static inline __m256d sums(const __m512d a[CASES]) {
    __m512d s = _mm512_unpacklo_pd(a[0], a[1]) + _mm512_unpackhi_pd(a[0], a[1]);
    __m512d t = _mm512_unpacklo_pd(a[2], a[3]) + _mm512_unpackhi_pd(a[2], a[3]);
    __m256d u = _mm512_castpd512_pd256(s) + _mm512_extractf64x4_pd(s, 1);
    __m256d v = _mm512_castpd512_pd256(t) + _mm512_extractf64x4_pd(t, 1);
    return _mm256_permute2f128_pd(u, v, 0x20) + _mm256_permute2f128_pd(u, v, 0x31);
}

// The same, with intrinsics: a vector holds the hidden units of one example, half a vector what the four
// examples have one of.
double xor_vectors_run(long first, long steps, const uint32_t *rows) {
    (void)first, (void)rows;
    const double rate = 0.5;
    const __m512d one = _mm512_set1_pd(1), two = _mm512_set1_pd(2);
    __m512d w0 = _mm512_load_pd(xor.w[0]), w1 = _mm512_load_pd(xor.w[1]);
    __m512d b = _mm512_load_pd(xor.b), v = _mm512_load_pd(xor.v);
    __m256d y = _mm256_load_pd(xor.y), zero = _mm256_setzero_pd(), four = _mm256_set1_pd(0.25), losses = zero;
    double c = xor.c;
    for (long step = 0; step < steps; step++) {
        __m512d h[CASES], weighted[CASES];
        for (int e = 0; e < CASES; e++) {
            __m512d a = w0 * xor.x[e][0] + w1 * xor.x[e][1] + b;
            h[e] = one - two * reciprocal(_ZGVeN8v_exp(a + a) + one);
            weighted[e] = v * h[e];
        }
        __m256d z = sums(weighted) + c;
        __m256d t = _ZGVdN4v_exp(_mm256_min_pd(z, zero - z)), r = 1 / (1 + t);
        __m256d p = _mm256_blendv_pd(t * r, r, _mm256_cmp_pd(z, zero, _CMP_GT_OQ));
        losses = _mm256_max_pd(z, zero) - y * z + _ZGVdN4v_log(1 + t);
        __m256d dz = (p - y) * four;
        __m512d dw0 = _mm512_setzero_pd(), dw1 = dw0, db = dw0, dv = dw0;
        double dc = 0;
        for (int e = 0; e < CASES; e++) {
            __m512d da = v * dz[e] * (one - h[e] * h[e]);
            dv += h[e] * dz[e], db += da;
            dw0 += da * xor.x[e][0], dw1 += da * xor.x[e][1];
            dc += dz[e];
        }
        w0 -= rate * dw0, w1 -= rate * dw1, b -= rate * db, v -= rate * dv, c -= rate * dc;
    }
    _mm512_store_pd(xor.w[0], w0), _mm512_store_pd(xor.w[1], w1);
    _mm512_store_pd(xor.b, b), _mm512_store_pd(xor.v, v);
    xor.c = c;
    return (losses[0] + losses[1] + losses[2] + losses[3]) / 4;
}
#endif

// ------------------------------------------- dense layers, softmax and cross entropy, Adam, f32

#ifdef BLAS
void openblas_set_num_threads(int);
void cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda,
                 const float *b, int ldb, float beta, float *c, int ldc);

enum { ROWS = 101, PLAIN = 111, TURNED = 112 };

enum { LAYERS = 3, MOST = 784 };

static int threads = 1;

void use_threads(int n) {
    threads = n;
    openblas_set_num_threads(n);
}

typedef struct {
    long count;                     // of parameters
    float *w, *m, *v, *g;           // parameters, averages, gradients: one array each
    float *table, *x;               // all examples, and those of a batch
    uint32_t *classes;
    float *h[LAYERS], *d[LAYERS];   // what the layers give, and its gradients
} Net;

static float *room(long n) {
    float *p = aligned_alloc(64, (n * sizeof(float) + 63) / 64 * 64);
    memset(p, 0, n * sizeof(float));
    return p;
}

static inline __attribute__((always_inline)) void load(Net *net, int layers, const int *sizes, int batch,
                                                       const double *p, const double *x, const double *y,
                                                       long examples) {
    if (!net->w) {
        for (int l = 0; l < layers; l++) {
            net->count += sizes[l + 1] * (sizes[l] + 1);
            net->h[l] = room((long)batch * sizes[l + 1]), net->d[l] = room((long)batch * sizes[l + 1]);
        }
        net->w = room(net->count), net->m = room(net->count);
        net->v = room(net->count), net->g = room(net->count);
        net->table = room(examples * sizes[0]), net->x = room((long)batch * sizes[0]);
        net->classes = malloc(examples * sizeof(uint32_t));
    }
    for (long i = 0; i < net->count; i++) net->w[i] = p[i], net->m[i] = net->v[i] = 0;
    for (long i = 0; i < examples * sizes[0]; i++) net->table[i] = x[i];
    for (long i = 0; i < examples; i++) net->classes[i] = y[i];
}

// Adds the bias, and applies the activation.
static inline __attribute__((always_inline)) void activate(float *restrict h, const float *restrict b, int rows,
                                                           int n, int smooth) {
    for (int i = 0; i < rows; i++, h += n)
        for (int j = 0; j < n; j++) {
            float a = h[j] + b[j];
            h[j] = smooth ? tanhf(a) : a > 0 ? a : 0;
        }
}

// Multiplies by the activation's derivative, and sums for the bias.
static inline __attribute__((always_inline)) void deactivate(float *restrict d, const float *restrict h,
                                                             float *restrict db, int rows, int n, int smooth) {
    memset(db, 0, n * sizeof(float));
    for (int i = 0; i < rows; i++, d += n, h += n)
        for (int j = 0; j < n; j++) {
            float a = smooth ? d[j] * (1 - h[j] * h[j]) : h[j] > 0 ? d[j] : 0;
            d[j] = a, db[j] += a;
        }
}

// Cross entropy of logits `z` and the mean's gradient `d`, summed for the bias.
static inline __attribute__((always_inline)) double entropy(const float *restrict z, const float *restrict b,
                                                            const uint32_t *restrict classes,
                                                            const uint32_t *restrict rows, float *restrict d,
                                                            float *restrict db, int batch, int n) {
    float picked = 0, logs = 0, sums[batch];
    for (int i = 0; i < batch; i++) {
        float most = -INFINITY;
        for (int j = 0; j < n; j++) {
            float a = z[i * n + j] + b[j];
            d[i * n + j] = a, most = a > most ? a : most;
        }
        for (int j = 0; j < n; j++) d[i * n + j] -= most;
        picked += d[i * n + classes[rows[i]]];
    }
    for (int i = 0; i < batch * n; i++) d[i] = expf(d[i]);
    for (int i = 0; i < batch; i++) {
        float sum = 0;
        for (int j = 0; j < n; j++) sum += d[i * n + j];
        sums[i] = sum;
    }
    for (int i = 0; i < batch; i++) logs += logf(sums[i]);
    memset(db, 0, n * sizeof(float));
    for (int i = 0; i < batch; i++) {
        float scale = 1 / (sums[i] * batch);
        for (int j = 0; j < n; j++) d[i * n + j] *= scale;
        d[i * n + classes[rows[i]]] -= 1.0f / batch;
        for (int j = 0; j < n; j++) db[j] += d[i * n + j];
    }
    return (logs - picked) / batch;
}

static void adam(Net *net, long step) {
    const float b1 = 0.9f, b2 = 0.999f, eps = 1e-8f, lr = 1e-3f;
    const float c1 = lr / (1 - pow(0.9, step)), c2 = 1 / (1 - pow(0.999, step));
    float *restrict w = net->w, *restrict m = net->m, *restrict v = net->v, *restrict g = net->g;
    long n = net->count;
#pragma omp parallel for simd num_threads(threads) if (threads > 1)
    for (long i = 0; i < n; i++) {
        m[i] = b1 * m[i] + (1 - b1) * g[i];
        v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
        w[i] -= m[i] * c1 / (sqrtf(v[i] * c2) + eps);
    }
}

static inline __attribute__((always_inline)) double run(Net *net, int layers, const int *sizes, int batch,
                                                        int smooth, long first, long steps,
                                                        const uint32_t *rows) {
    double loss = 0;
    for (long step = 1; step <= steps; step++, rows += batch) {
        for (int i = 0; i < batch; i++)
            memcpy(net->x + i * sizes[0], net->table + (long)rows[i] * sizes[0], sizes[0] * sizeof(float));
        const float *x = net->x;
        long at = 0;
        for (int l = 0; l < layers; l++) {
            int k = sizes[l], n = sizes[l + 1];
            const float *w = net->w + at, *b = w + n * k;
            cblas_sgemm(ROWS, PLAIN, TURNED, batch, n, k, 1, x, k, w, k, 0, net->h[l], n);
            if (l < layers - 1)
                activate(net->h[l], b, batch, n, smooth);
            else
                loss = entropy(net->h[l], b, net->classes, rows, net->d[l], net->g + at + n * k, batch, n);
            x = net->h[l], at += n * (k + 1);
        }
        for (int l = layers - 1; l >= 0; l--) {
            int k = sizes[l], n = sizes[l + 1];
            at -= n * (k + 1);
            const float *below = l ? net->h[l - 1] : net->x;
            cblas_sgemm(ROWS, TURNED, PLAIN, n, k, batch, 1, net->d[l], n, below, k, 0, net->g + at, k);
            if (l) {
                float *db = net->g + at - k;
                cblas_sgemm(ROWS, PLAIN, PLAIN, batch, k, n, 1, net->d[l], n, net->w + at, k, 0, net->d[l - 1], k);
                deactivate(net->d[l - 1], net->h[l - 1], db, batch, k, smooth);
            }
        }
        adam(net, first + step);
    }
    return loss;
}

#define NET(NAME, BATCH, SMOOTH, LAYERS, ...)                                                     \
    static Net NAME;                                                                              \
    static const int NAME##_sizes[] = {__VA_ARGS__};                                              \
    void NAME##_load(const double *p, const double *x, const double *y, long examples) {          \
        load(&NAME, LAYERS, NAME##_sizes, BATCH, p, x, y, examples);                              \
    }                                                                                             \
    double NAME##_run(long first, long steps, const uint32_t *rows) {                             \
        return run(&NAME, LAYERS, NAME##_sizes, BATCH, SMOOTH, first, steps, rows);               \
    }

NET(digits, 64, 0, 2, 64, 128, 10)
NET(digits_tanh, 64, 1, 2, 64, 128, 10)
NET(mnist, 256, 0, 3, 784, 512, 512, 10)
#endif
