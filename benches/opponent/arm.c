// A seven-joint arm: squared distance of its hand from a target, and the gradient by the joints,
// derived by hand.
//
// A frame hangs on the one before by Denavit and Hartenberg's A = Rz(q) Tz(d) Tx(a) Rx(t), with t of
// a quarter turn or none. A point goes through the frames from the hand to the foot; the gradient
// goes back, and dE/dq = g · (z × p) in the frame of the joint.

#include <math.h>

enum { JOINTS = 7 };

static const double D[JOINTS] = {0.333, 0, 0.316, 0, 0.384, 0, 0.107}, A[JOINTS] = {0, 0, 0.0825, -0.0825, 0, 0.088, 0.1};
// The sine of t.
static const int T[JOINTS] = {-1, 1, 1, -1, 1, 1, 0};

static inline __attribute__((always_inline)) double chain(const double *s, const double *c, const double *target,
                                                          double *g) {
    double px[JOINTS], py[JOINTS], x = 0, y = 0, z = 0.2;
#pragma GCC unroll 7
    for (int i = JOINTS - 1; i >= 0; i--) {
        double u = x + A[i], v = T[i] > 0 ? -z : T[i] < 0 ? z : y, w = (T[i] > 0 ? y : T[i] < 0 ? -y : z) + D[i];
        px[i] = x = c[i] * u - s[i] * v, py[i] = y = s[i] * u + c[i] * v, z = w;
    }
    double ex = x - target[0], ey = y - target[1], ez = z - target[2];
    double gx = 2 * ex, gy = 2 * ey, gz = 2 * ez;
#pragma GCC unroll 7
    for (int i = 0; i < JOINTS; i++) {
        g[i] = gy * px[i] - gx * py[i];
        double u = c[i] * gx + s[i] * gy, v = c[i] * gy - s[i] * gx, w = gz;
        gx = u, gy = T[i] > 0 ? w : T[i] < 0 ? -w : v, gz = T[i] > 0 ? -v : T[i] < 0 ? v : w;
    }
    return ex * ex + ey * ey + ez * ez;
}

// One pose, the sines as C has them.
double pose(const double *q, const double *target, double *g) {
    double s[JOINTS], c[JOINTS];
#pragma GCC unroll 7
    for (int i = 0; i < JOINTS; i++) s[i] = sin(q[i]), c[i] = cos(q[i]);
    return chain(s, c, target, g);
}

// Poses one after another; joints and gradients in rows.
void poses(long n, const double *restrict q, const double *target, double *restrict value, double *restrict g) {
    for (long i = 0; i < n; i++) value[i] = pose(q + JOINTS * i, target, g + JOINTS * i);
}

#ifdef __AVX512F__
typedef double vec __attribute__((vector_size(64)));
vec _ZGVeN8v_sin(vec), _ZGVeN8v_cos(vec);

// One pose, the sines of all joints at once by libmvec, called by hand.
double pose_by_vectors(const double *q, const double *target, double *g) {
    vec all = {q[0], q[1], q[2], q[3], q[4], q[5], q[6], 0};
    union { vec all; double each[8]; } s = {_ZGVeN8v_sin(all)}, c = {_ZGVeN8v_cos(all)};
    return chain(s.each, c.each, target, g);
}
#endif
