"""Fits the coefficients in src/elementary: `python3 elementary_fit.py [table ...]` prints them.

Weighted minimax by the second algorithm of Remez (1934; see Muller, Elementary
Functions, 3rd ed., section 3.6) in 60-digit arithmetic, then rounded to doubles,
or to singles, one after another, in the tables whose names end in SINGLE.
Each line names the function approximated, its interval and the error reached,
as a power of two relative to the whole elementary function.
"""
import struct
import sys
from mpmath import mp, mpf

mp.dps = 70


def remez(g, w, a, b, degree):
    """The polynomial p minimising max |w (g - p)| on [a, b]; returns (coefficients, error)."""
    n = degree + 2
    a, b = mpf(a), mpf(b)
    mid, half = (a + b) / 2, (b - a) / 2
    nodes = [mid - half * mp.cos(mp.pi * (i + mpf(1) / 2) / n) for i in range(n)]
    grid = [mid - half * mp.cos(mp.pi * i / (40 * n)) for i in range(40 * n + 1)]
    table = [(x, g(x), w(x)) for x in grid]
    for _ in range(12):
        rows, right = mp.matrix(n, n), mp.matrix(n, 1)
        for i, x in enumerate(nodes):
            u = (x - mid) / half
            for j in range(degree + 1):
                rows[i, j] = u**j
            rows[i, degree + 1] = (-1) ** i / w(x)
            right[i] = g(x)
        c = mp.lu_solve(rows, right)
        local = [c[j] for j in range(degree + 1)]
        err = [wx * (gx - mp.polyval(local[::-1], (x - mid) / half)) for x, gx, wx in table]
        # One extremum of each run of equal sign, then the best n neighbours.
        peaks = []
        for i, e in enumerate(err):
            if e == 0:
                continue
            if peaks and (err[peaks[-1]] > 0) == (e > 0):
                if abs(e) > abs(err[peaks[-1]]):
                    peaks[-1] = i
            else:
                peaks.append(i)
        while len(peaks) > n:
            if len(peaks) == n + 1:
                peaks.pop(0 if abs(err[peaks[0]]) < abs(err[peaks[-1]]) else -1)
            else:
                k = min(range(len(peaks) - 1), key=lambda k: max(abs(err[peaks[k]]), abs(err[peaks[k + 1]])))
                del peaks[k : k + 2]
        worst, level = max(abs(e) for e in err), abs(c[degree + 1])
        if len(peaks) < n or worst < level * mpf("1.02"):
            break
        nodes = [grid[i] for i in peaks]
    # Back from u = (x - mid)/half to x.
    out = [mpf(0)] * (degree + 1)
    shift = [mpf(1)]
    for j in range(degree + 1):
        for i, s in enumerate(shift):
            out[i] += local[j] * s
        shift = [(shift[i - 1] if i else 0) / half - (shift[i] if i < len(shift) else 0) * mid / half
                 for i in range(len(shift) + 1)]
    return out, worst


def at_zero(g, limit):
    """g, with its limit where the quotient is 0/0."""
    return lambda x: limit if abs(x) < mpf(10) ** -30 else g(x)


def wide(f):
    """f in twice the digits: the quotients below cancel near 0."""
    def inner(x):
        with mp.workdps(200):
            return +f(x)
    return inner


LN2 = mp.log(2)
SQ = mp.sqrt
HALF = mpf(1) / 2
C0 = 2 / SQ(mp.pi)
ROOT = mp.findroot(mp.digamma, mpf("1.4616321449683623"))


def log_r(z):
    s = SQ(z)
    return (mp.log((1 + s) / (1 - s)) - 2 * s) / s


def erfcx_q(t):
    x = mpf(ERFCX_A) * (1 + t) / (1 - t)
    return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)


ERFCX_A = "4"
T = lambda x: (mpf(x) - mpf(ERFCX_A)) / (mpf(x) + mpf(ERFCX_A))

TABLES = {
    "EXP": ("(e^r - 1 - r)/r^2", wide(lambda r: (mp.exp(r) - 1 - r) / r**2), mpf(1) / 2, lambda r: r * r + mpf(10) ** -30, -0.3467, 0.3467, 9),
    "EXP2": ("(2^r - 1 - r ln 2)/r^2", wide(lambda r: (mp.mpf(2) ** r - 1 - r * mp.log(2)) / r**2), LN2**2 / 2, lambda r: r * r + mpf(10) ** -30, -0.5, 0.5, 9),
    "SINH": ("(sinh r / r - 1)/z, z = r^2", wide(lambda z: (mp.sinh(SQ(z)) / SQ(z) - 1) / z), mpf(1) / 6, lambda z: z + mpf(10) ** -30, 0, 0.1203, 4),
    "COSH": ("(cosh r - 1 - z/2)/z^2", wide(lambda z: (mp.cosh(SQ(z)) - 1 - z / 2) / z**2), mpf(1) / 24, lambda z: z * z + mpf(10) ** -30, 0, 0.1203, 4),
    "COTH": ("(x coth x - 1)/z, z = x^2", wide(lambda z: (SQ(z) * mp.coth(SQ(z)) - 1) / z), mpf(1) / 3, lambda z: z + mpf(10) ** -30, 0, mpf("0.8") ** 2 * mpf("1.0005"), 8),
    "LOG": ("(log((1+s)/(1-s)) - 2s)/s^3, z = s^2", wide(lambda z: log_r(z) / z), mpf(2) / 3, lambda z: z / 2 + mpf(10) ** -30, 0, 0.02945, 6),
    "SOFTPLUS": ("(2 atanh(t/2)/t - 1)/z, z = t^2", wide(lambda z: (2 * mp.atanh(SQ(z) / 2) / SQ(z) - 1) / z), mpf(1) / 12, lambda z: z + mpf(10) ** -30, 0, 4 / mpf(9), 9),
    "LOG_TAIL": ("(log((1+s)/(1-s)) - 2s - 2s^3/3)/s^5", wide(lambda z: (log_r(z) / z - mpf(2) / 3) / z), mpf(2) / 5, lambda z: z * z / 2 + mpf(10) ** -30, 0, 0.02945, 7),
    "SIN": ("(sin r / r - 1)/z", wide(lambda z: (mp.sin(SQ(z)) / SQ(z) - 1) / z), -mpf(1) / 6, lambda z: z + mpf(10) ** -30, 0, 0.617, 5),
    "COS": ("(cos r - 1 + z/2)/z^2", wide(lambda z: (mp.cos(SQ(z)) - 1 + z / 2) / z**2), mpf(1) / 24, lambda z: z * z + mpf(10) ** -30, 0, 0.617, 5),
    "ATAN": ("(atan t / t - 1)/z", wide(lambda z: (mp.atan(SQ(z)) / SQ(z) - 1) / z), -mpf(1) / 3, lambda z: z + mpf(10) ** -30, 0, 0.1717, 10),
    "ASIN": ("(asin t / t - 1)/z", wide(lambda z: (mp.asin(SQ(z)) / SQ(z) - 1) / z), mpf(1) / 6, lambda z: z + mpf(10) ** -30, 0, 0.25, 12),
    "ERF": ("(erf x / x - 2/sqrt pi)/z", wide(lambda z: (mp.erf(SQ(z)) / SQ(z) - 2 / mp.sqrt(mp.pi)) / z), -C0 / 3, lambda z: z + mpf(10) ** -30, 0, 0.4901, 9),
    "ERFCX": (f"(1 + 2x) e^(x^2) erfc x, t = (x - {ERFCX_A})/(x + {ERFCX_A})", wide(erfcx_q), mpf(1), lambda t: mpf(1), T("0.7"), T("27.5"), 22),
    "CBRT": ("m^(-1/3)", lambda m: m ** (-mpf(1) / 3), mpf(1), lambda m: m ** (mpf(1) / 3), 1, 2, 4),
    "EXP_SINGLE": ("(e^r - 1 - r)/r^2", wide(lambda r: (mp.exp(r) - 1 - r) / r**2), mpf(1) / 2, lambda r: r * r + mpf(10) ** -30, -0.3467, 0.3468, 4),
    "EXP2_SINGLE": ("(2^r - 1 - r ln 2)/r^2", wide(lambda r: (mp.mpf(2) ** r - 1 - r * mp.log(2)) / r**2), LN2**2 / 2, lambda r: r * r + mpf(10) ** -30, -0.5, 0.5001, 4),
    "LOG_SINGLE": ("(log(1 + f) - f + f^2/2)/f^3", wide(lambda f: (mp.log(1 + f) - f + f * f / 2) / f**3), mpf(1) / 3, lambda f: f**2 + mpf(10) ** -30, -0.2929, 0.4143, 7),
    "LOG1P": ("(log(1 + e) - e)/e^2, t = e - 1/2", wide(lambda t: (mp.log(mpf(3) / 2 + t) - (t + HALF)) / (t + HALF) ** 2 if t > -HALF else -HALF), mpf(0), lambda t: (t + HALF) ** 2 / mp.log(mpf(3) / 2 + t + mpf(10) ** -40), -0.5, 0.5, 19),
    "LOG1P_SINGLE": ("(log(1 + e) - e)/e^2", wide(lambda e: (mp.log(1 + e) - e) / e**2), -mpf(1) / 2, lambda e: e * e / mp.log(1 + e + mpf(10) ** -40), 0, 1, 8),
    "SIN_SINGLE": ("(sin r / r - 1)/z", wide(lambda z: (mp.sin(SQ(z)) / SQ(z) - 1) / z), -mpf(1) / 6, lambda z: z + mpf(10) ** -30, 0, 0.64, 2),
    "COS_SINGLE": ("(cos r - 1 + z/2)/z^2", wide(lambda z: (mp.cos(SQ(z)) - 1 + z / 2) / z**2), mpf(1) / 24, lambda z: z * z + mpf(10) ** -30, 0, 0.64, 2),
    "TANH_SINGLE": ("(tanh x / x - 1)/z", wide(lambda z: (mp.tanh(SQ(z)) / SQ(z) - 1) / z), -mpf(1) / 3, lambda z: z + mpf(10) ** -30, 0, 1, 6),
    "ATAN_SINGLE": ("(atan t / t - 1)/z", wide(lambda z: (mp.atan(SQ(z)) / SQ(z) - 1) / z), -mpf(1) / 3, lambda z: z + mpf(10) ** -30, 0, 1, 7),
    "ERF_SINGLE": ("(erf x / x - 2/sqrt pi)/z", wide(lambda z: (mp.erf(SQ(z)) / SQ(z) - 2 / mp.sqrt(mp.pi)) / z), -C0 / 3, lambda z: z + mpf(10) ** -30, 0, 0.8464, 5),
    "ERFC_SINGLE": ("log(erfc x)/x", wide(lambda x: mp.log(mp.erfc(x)) / x), mpf(0), lambda x: x * mp.erfc(x), 0.9, 4.0, 8),
    "LGAMMA": ("lgamma(x)/((x - 1)(x - 2)), u = x - 3/2", wide(lambda u: mp.loggamma(u + 3 * HALF) / ((u + HALF) * (u - HALF)) if abs(abs(u) - HALF) > mpf(10) ** -40 else mp.euler * (1 if u < 0 else 0) + (1 - mp.euler) * (1 if u > 0 else 0)), mpf(0), lambda u: mpf(1), -0.62, 0.62, 24),
    "DIGAMMA": ("psi(x)/(x - x0), u = x - 3/2", wide(lambda u: mp.digamma(u + mpf(3) / 2) / (u + mpf(3) / 2 - ROOT)), mpf(0), lambda u: mpf(1), -0.5, 0.5, 20),
}


def fit(name):
    what, g, limit, weight, a, b, degree = TABLES[name]
    g = at_zero(g, limit) if name not in ("DIGAMMA", "ERFCX", "CBRT", "ERFC_SINGLE", "LOG1P", "LGAMMA") else g
    c, err = remez(g, weight, a, b, degree)
    texts = [repr(float(x)) for x in c]
    if name.endswith("SINGLE"):
        # One coefficient is rounded after the other, and the rest fitted to what that leaves.
        texts = [single(c[0])]
        for left in reversed(range(degree)):
            g, weight = without(g, mpf(texts[-1])), (lambda w: lambda x: w(x) * (abs(x) + mpf(10) ** -12))(weight)
            c, err = remez(g, weight, a, b, left)
            texts.append(single(c[0]))
    print(f"// {name}: {what} on [{float(a):.6g}, {float(b):.6g}], error 2^{float(mp.log(err, 2)):.1f}")
    print("[" + ", ".join(texts) + "]")


def without(g, c):
    return lambda x: (g(x) - c) / (x if x else mpf(10) ** -12)


def single(x):
    """The shortest decimal of the single nearest to x."""
    near = struct.pack("f", float(x))
    texts = (f"{float(x):.{digits}g}" for digits in range(1, 18))
    return next(text for text in texts if struct.pack("f", float(text)) == near)


if __name__ == "__main__":
    for name in sys.argv[1:] or TABLES:
        fit(name)
