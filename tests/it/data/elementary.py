"""Writes elementary.csv: the truth about the functions of src/elementary, by mpmath.

`python3 elementary.py > elementary.csv` (mpmath 1.3; deterministic). A row is

    function, x bits, y bits or nothing, nearest double's bits, hundredths

where truth = nearest + hundredths/100 ulp, so an error is known to 0.01 ulp. An
ulp is the spacing of the doubles at the truth (2^-1074 among subnormals).
"""
import math
import random
import struct
from fractions import Fraction
from mpmath import mp, mpf

mp.dps = 60
POINTS = 200
LARGEST = mpf(2) ** 1024 - mpf(2) ** 970  # rounds to infinity from here on


def bits(x):
    return f"{struct.unpack('<Q', struct.pack('<d', x))[0]:016x}"


class Points:
    """Ways to choose one double, all from one seeded generator."""

    def __init__(self, name):
        self.r = random.Random(name)

    def uniform(self, a, b):
        return lambda: self.r.uniform(a, b)

    def any(self):
        """Random bits: every exponent alike."""
        while True:
            x = struct.unpack("<d", self.r.getrandbits(64).to_bytes(8, "little"))[0]
            if math.isfinite(x):
                return x

    def positive(self):
        return abs(self.any())

    def subnormal(self):
        return math.ldexp(self.r.getrandbits(52), -1074)

    def scale(self, low, high):
        """2^low to 2^high, logarithmically uniform, both signs."""
        return lambda: self.sign() * math.ldexp(1 + self.r.random(), self.r.randint(low, high - 1))

    def near(self, centre, most=-2):
        """Around a point, at all distances from an ulp to 2^most."""
        return lambda: centre + self.scale(-54, most)()

    def sign(self):
        return self.r.choice((1, -1))

    def half_turns(self):
        """The doubles nearest to multiples of pi/4."""
        x = float(self.r.randint(1, 1 << self.r.randint(1, 60)) * mp.pi / 4)
        return self.sign() * x

    def binades(self, unit):
        """Where argument reduction by `unit` changes its multiple."""
        return lambda: (self.r.randint(-1070, 1020) + 0.5) * unit


def magnitude(f):
    return lambda: abs(f())


# The closest of all doubles to a multiple of pi/2 (Muller, Elementary Functions, 3rd ed., 11.3), and others known.
WORST_TURN = [6381956970095103.0 * 2.0**797, 22.0, 355.0, 1e22, 2.0**32, 2.0**1023]


def turns(p):
    listed = iter(WORST_TURN)
    ways = [p.uniform(-10, 10), p.uniform(-1e5, 1e5), p.half_turns, p.any, p.scale(-30, 40), p.scale(28, 34)]
    return lambda: next(listed, None) or p.r.choice(ways)()


def half_turns(p):
    """Numbers at, and around, multiples of a quarter."""
    quarters = lambda: p.r.randint(-(1 << 30), 1 << 30) / 4
    return p.r.choice([p.uniform(-10, 10), p.uniform(-1e5, 1e5), p.scale(-60, 40), p.any,
                       lambda: quarters() + p.scale(-40, -10)(), lambda: p.r.randint(-9, 9) / 4 + p.scale(-70, -2)()])


def mix(*ways):
    return lambda p: (lambda: p.r.choice([w(p) for w in ways])())


def U(a, b):
    return lambda p: p.uniform(a, b)


def S(a, b):
    return lambda p: p.scale(a, b)


def N(c, most=-2):
    return lambda p: p.near(c, most)


ANY = lambda p: p.any
POSITIVE = lambda p: p.positive
SUBNORMAL = lambda p: p.subnormal
LN2 = math.log(2)

exponentials = mix(U(-746, 710), U(-1, 1), U(-20, 20), S(-60, 9), U(-746, -700), lambda p: p.binades(LN2))
hyperbolics = mix(U(-711, 711), U(-1, 1), U(-20, 20), S(-60, 9), U(709, 710.47), SUBNORMAL)
logarithms = mix(POSITIVE, N(1.0), U(0.5, 2), SUBNORMAL, lambda p: lambda: 10.0 ** p.r.randint(-300, 300), N(math.sqrt(2)), N(math.sqrt(0.5)))
unit = mix(U(-1, 1), lambda p: lambda: p.sign() * (1 - p.scale(-53, -1)() ** 2), S(-70, 0), SUBNORMAL, N(0.5))
everywhere = mix(ANY, U(-5, 5), S(-60, 60), SUBNORMAL, N(1.0), U(0.3, 0.6))
errors = mix(U(-6, 6), U(-0.72, 0.72), U(0.5, 3), U(-27, 27.2), S(-60, 4), N(0.7), U(26, 27.2))
logistics = mix(U(-745, 40), U(-40, 40), U(-1, 1), S(-60, 9), U(-745, -700), U(-38, -36))
gammas = mix(U(0.05, 170), U(0.05, 5), S(-60, 0))
digammas = mix(U(0, 20), U(1, 2), lambda p: magnitude(p.scale(-60, 60)), N(1.4616321449683623))


def powers(p):
    def pair():
        way = p.r.randint(0, 4)
        if way == 0:
            x = p.positive()
            return x, p.r.uniform(-745, 709) / math.log(x)
        if way == 1:
            x = p.near(1.0, -3)()
            return x, p.r.uniform(-745, 709) / math.log(x) if x != 1 else 3.0
        if way == 2:
            return p.r.uniform(-20, 0), float(p.r.randint(-200, 200))
        if way == 3:
            return p.subnormal(), p.r.uniform(-0.9, 0.9)
        return p.r.uniform(0, 10), p.r.uniform(-50, 50)
    return pair


def planes(p):
    def pair():
        way = p.r.randint(0, 4)
        a = p.any()
        if way == 0 and abs(a) < 1e290:
            return a, a * p.scale(-30, 30)()
        if way == 1:
            return p.r.uniform(-1, 1), p.r.uniform(-1, 1)
        if way == 2:
            return p.sign() * p.subnormal(), p.sign() * p.subnormal()
        if way == 3:
            return p.scale(-60, 60)(), p.scale(-1000, 1000)()
        return a, p.any()
    return pair


def sums(p):
    def pair():
        way = p.r.randint(0, 3)
        a = p.r.choice((1, -1)) * p.r.uniform(2, 700)
        if way == 0:
            return a, a + p.r.uniform(-40, 40) if a > 100 else a
        if way == 1:
            return p.r.uniform(1, 9), p.r.uniform(1, 9)
        if way == 2:
            a = p.any()
            return a, math.nextafter(a, 0)
        return p.r.uniform(-750, -2), p.r.uniform(-750, -2)
    return pair


def orders(p):
    return lambda: (float(p.r.randint(0, 12)), p.r.choice((p.r.uniform(2, 30), abs(p.scale(-10, 20)()))))


def log1p(x):
    return mp.log1p(x)


def softplus(x):
    return log1p(mp.exp(x)) if x < 0 else x + log1p(mp.exp(-x))


def logaddexp(a, b):
    return max(a, b) + log1p(mp.exp(min(a, b) - max(a, b)))


FUNCTIONS = {
    "exp": (mp.exp, exponentials),
    "exp2": (lambda x: mpf(2) ** x, mix(U(-1075, 1024), U(-1, 1), S(-60, 9), lambda p: p.binades(1.0))),
    "expm1": (mp.expm1, mix(exponentials, SUBNORMAL)),
    "log": (mp.log, logarithms),
    "log1p": (log1p, mix(POSITIVE, S(-70, -1), SUBNORMAL, U(-0.9, 5), lambda p: lambda: p.scale(-26, -1)() ** 2 - 1)),
    "log2": (lambda x: mp.log(x) / mp.log(2), logarithms),
    "log10": (mp.log10, logarithms),
    "sin": (mp.sin, turns),
    "cos": (mp.cos, turns),
    "tan": (mp.tan, turns),
    "sinpi": (mp.sinpi, lambda p: lambda: half_turns(p)()),
    "cospi": (mp.cospi, lambda p: lambda: half_turns(p)()),
    "asin": (mp.asin, unit),
    "acos": (mp.acos, unit),
    "atan": (mp.atan, everywhere),
    "atan2": (mp.atan2, planes),
    "sinh": (mp.sinh, hyperbolics),
    "cosh": (mp.cosh, hyperbolics),
    "tanh": (mp.tanh, mix(hyperbolics, U(-22, 22))),
    "sech": (mp.sech, mix(hyperbolics, U(700, 745))),
    "asinh": (mp.asinh, everywhere),
    "acosh": (mp.acosh, mix(lambda p: lambda: 1 + abs(p.scale(-52, 0)()), lambda p: magnitude(p.scale(0, 1023)), U(1, 10))),
    "atanh": (mp.atanh, unit),
    "pow": (lambda x, y: x**y if x > 0 or y != int(y) else (-x) ** y * (-1) ** int(y % 2), powers),
    "cbrt": (lambda x: mp.sign(x) * mp.cbrt(abs(x)), mix(ANY, SUBNORMAL, U(-10, 10), lambda p: lambda: float(p.r.randint(1, 10**5) ** 3))),
    "hypot": (lambda x, y: mp.sqrt(x * x + y * y), planes),
    "erf": (mp.erf, mix(errors, SUBNORMAL)),
    "erfc": (mp.erfc, errors),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), logistics),
    "log_sigmoid": (lambda x: -softplus(-x), lambda p: (lambda f: lambda: -f())(logistics(p))),
    "softplus": (softplus, logistics),
    "logaddexp": (logaddexp, sums),
    "log1mexp": (lambda x: mp.log(-mp.expm1(x)) if x > -1 else log1p(-mp.exp(x)), lambda p: (lambda f: lambda: -abs(f()) or -1.0)(mix(exponentials, U(-2, 0), SUBNORMAL)(p))),
    "gamma": (mp.gamma, gammas),
    "lgamma": (mp.loggamma, mix(U(2.5, 100), U(0.05, 0.9), lambda p: magnitude(p.scale(2, 1000)))),
    "digamma": (mp.digamma, digammas),
    "trigamma": (lambda x: mp.psi(1, x), mix(U(0, 20), lambda p: magnitude(p.scale(-60, 60)), U(-10, 0))),
    "polygamma": (lambda n, x: mp.psi(int(n), x), orders),
}


def nearest(t):
    """The double nearest to t, and the hundredths of an ulp from it to t."""
    exponent = max(mp.frexp(t)[1] - 53, -1074)
    scaled = mp.ldexp(t, -exponent)
    whole = int(mp.nint(scaled))
    return float(Fraction(whole) * Fraction(2) ** exponent), int(mp.nint((scaled - whole) * 100))


def rows(name):
    f, ways = FUNCTIONS[name]
    p = Points(name)
    draw = ways(p)
    # Small results of 1 + tiny need the digits of tiny, or of its square.
    while True:
        args = draw()
        args = args if isinstance(args, tuple) else (args,)
        if 0.0 in args or not all(map(math.isfinite, args)):
            continue
        with mp.workdps(720 if max(map(abs, args)) < 1e-20 or min(map(abs, args)) < 1e-20 else 60):
            t = f(*map(mpf, args))
        if not mp.isfinite(t) or mp.im(t) != 0 or abs(t) >= LARGEST:
            continue
        near, hundredths = nearest(mp.re(t))
        first, second = bits(args[0]), bits(args[1]) if len(args) > 1 else ""
        yield f"{name},{first},{second},{bits(near)},{hundredths}"


if __name__ == "__main__":
    for name in FUNCTIONS:
        for _, row in zip(range(POINTS), rows(name)):
            print(row)
