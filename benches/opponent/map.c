// Functions over columns, derivatives by hand; `real` is double, or float where SINGLE is defined.

#include <math.h>
#ifdef SINGLE
typedef float real;
#define F(name) name##f
#define VEXP _ZGVeN16v_expf
#define VSIN _ZGVeN16v_sinf
#define VCOS _ZGVeN16v_cosf
#else
typedef double real;
#define F(name) name
#define VEXP _ZGVeN8v_exp
#define VSIN _ZGVeN8v_sin
#define VCOS _ZGVeN8v_cos
#endif

void softplus(long n, const real *restrict x, real *restrict v, real *restrict d) {
    for (long i = 0; i < n; i++) {
        real e = F(exp)(-F(fabs)(x[i])), r = 1 / (1 + e);
        v[i] = (x[i] > 0 ? x[i] : 0) + F(log1p)(e);
        d[i] = x[i] > 0 ? r : e * r;
    }
}

#ifdef __AVX512F__
typedef real vec __attribute__((vector_size(64)));
vec VEXP(vec), VSIN(vec), VCOS(vec);
void wave(long n, const real *restrict xs, real *restrict v, real *restrict d, real *restrict dd) {
    for (long i = 0; i < n; i += 64 / sizeof(real)) {
        vec x = *(const vec *)(xs + i), e = VEXP(-x * x), s = VSIN(3 * x), c = VCOS(3 * x);
        *(vec *)(v + i) = e * s;
        *(vec *)(d + i) = e * (3 * c - 2 * x * s);
        *(vec *)(dd + i) = e * ((4 * x * x - 11) * s - 12 * x * c);
    }
}
#else
void wave(long n, const real *restrict xs, real *restrict v, real *restrict d, real *restrict dd) {
    for (long i = 0; i < n; i++) {
        real x = xs[i], e = F(exp)(-x * x), s = F(sin)(3 * x), c = F(cos)(3 * x);
        v[i] = e * s;
        d[i] = e * (3 * c - 2 * x * s);
        dd[i] = e * ((4 * x * x - 11) * s - 12 * x * c);
    }
}
#endif

void rosenbrock(long n, const real *restrict x, const real *restrict y, real *restrict v,
                real *restrict dx, real *restrict dy) {
    for (long i = 0; i < n; i++) {
        real a = 1 - x[i], b = y[i] - x[i] * x[i];
        v[i] = a * a + 100 * b * b;
        dx[i] = -2 * a - 400 * x[i] * b;
        dy[i] = 200 * b;
    }
}

void polynomial(long n, const real *restrict xs, real *restrict v, real *restrict d) {
    for (long i = 0; i < n; i++) {
        real x = xs[i];
        v[i] = 1 + x * (2 + x * (3 + x * (4 + x * (5 + x * (6 + x * (7 + x * (8 + x * 9)))))));
        d[i] = 2 + x * (6 + x * (12 + x * (20 + x * (30 + x * (42 + x * (56 + x * 72))))));
    }
}
