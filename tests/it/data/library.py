"""Values of the program library, computed by its definitions in plain Python (no dependencies).

    python3 tests/it/data/library.py > tests/it/data/library.txt

Each case: the program, one line an input or parameter, the value of `out`.
"""

from math import cos, erfc, exp, log, pi, prod, sin, sqrt, tanh


def numbers(count, seed):
    return [round(1.5 * sin(1.7 * k + seed), 3) for k in range(count)]


def matrix(rows, columns, seed):
    flat = numbers(rows * columns, seed)
    return [flat[i * columns:(i + 1) * columns] for i in range(rows)]


def flat(x):
    return [v for row in x for v in flat(row)] if isinstance(x, list) else [x]


def mv(m, v):
    return [sum(a * b for a, b in zip(row, v)) for row in m]


def mm(a, b):
    return [[sum(a[i][k] * b[k][j] for k in range(len(b))) for j in range(len(b[0]))] for i in range(len(a))]


def add(*vs):
    return [sum(v) for v in zip(*vs)]


def times(a, b):
    return [x * y for x, y in zip(a, b)]


def sigmoid(x):
    return 1 / (1 + exp(-x))


def each(f, v):
    return [f(x) for x in v]


def softmax(z):
    m = max(z)
    e = [exp(x - m) for x in z]
    return [x / sum(e) for x in e]


def lse(z):
    m = max(z)
    return m + log(sum(exp(x - m) for x in z))


def mean(v):
    return sum(v) / len(v)


def variance(v):
    return mean([(x - mean(v)) ** 2 for x in v])


def case(program, out, **given):
    print("program:", program)
    for name, value in given.items():
        print(f"{name.replace('__', '.')}:", *flat(value))
    print("out:", *flat(out))
    print()


def functions():
    v, w = numbers(5, 0.3), numbers(5, 1.1)
    case("input x[5]; out = softmax(x)", softmax(v), x=v)
    case("input x[5]; out = log_softmax(x)", [a - lse(v) for a in v], x=v)
    case("input x[5]; out = logsumexp(x)", lse(v), x=v)
    case("input x[5]; out = norm(x)", sqrt(sum(a * a for a in v)), x=v)
    case("input x[5]; out = variance(x)", variance(v), x=v)
    case("input x[5]; out = std(x)", sqrt(variance(v)), x=v)
    case("input x[5]; out = [max(x), min(x), sum(x), mean(x), prod(x)]", [max(v), min(v), sum(v), mean(v), prod(v)], x=v)
    case("input x[5]; out = [argmax(x), argmin(x), size(x), rows(x)]", [v.index(max(v)), v.index(min(v)), 5, 5], x=v)
    case("input k; out = onehot(k, 4)", [0, 0, 1, 0], k=2)
    case("out = concat(zeros(2), ones(3), [7])", [0, 0, 1, 1, 1, 7])
    case("input x[2,3]; out = flatten(x)[4] + size(x, 1)", numbers(6, 2)[4] + 3, x=numbers(6, 2))
    case("input x[2,3]; out = last(x)", numbers(6, 2)[3:], x=numbers(6, 2))
    case("input x[5], y[5]; out = x·y", sum(times(v, w)), x=v, y=w)
    case("input x[5]; out = identity(x)", v, x=v)
    case("input x[5]; out = residual(x, tanh)", [a + tanh(a) for a in v], x=v)


def activations():
    v = [-4.0, -2.0, -0.5, 0.0, 0.7, 3.0, 7.0]
    softplus = lambda x: log(1 + exp(x))
    table = {
        "relu": lambda x: max(x, 0.0), "leaky_relu": lambda x: x if x > 0 else 0.01 * x,
        "elu": lambda x: x if x > 0 else exp(x) - 1, "gelu": lambda x: x * erfc(-x / sqrt(2)) / 2,
        "gelu_fast": lambda x: x * sigmoid(1.702 * x), "silu": lambda x: x * sigmoid(x),
        "swish": lambda x: x * sigmoid(x), "softplus": softplus, "mish": lambda x: x * tanh(softplus(x)),
        "sigmoid": sigmoid, "tanh": tanh, "softsign": lambda x: x / (1 + abs(x)),
        "relu6": lambda x: min(max(x, 0.0), 6.0), "hard_sigmoid": lambda x: min(max(x / 6 + 0.5, 0.0), 1.0),
    }
    for name, f in table.items():
        case(f"input x[7]; out = {name}(x)", each(f, v), x=v)
    case("input x[7]; out = leaky_relu(x, a = 0.2)", [a if a > 0 else 0.2 * a for a in v], x=v)


def losses():
    p, y = numbers(4, 0.9), numbers(4, 2.2)
    d = [a - b for a, b in zip(p, y)]
    case("input p[4], y[4]; out = mse(p, y)", mean([x * x for x in d]), p=p, y=y)
    case("input p, y; out = mse(p, y)", 6.25, p=3, y=0.5)
    case("input p[4], y[4]; out = mae(p, y)", mean([abs(x) for x in d]), p=p, y=y)
    huber = lambda x, k: x * x / 2 if abs(x) <= k else k * (abs(x) - k / 2)
    case("input p[4], y[4]; out = huber(p, y)", mean([huber(x, 1) for x in d]), p=p, y=y)
    case("input p[4], y[4]; out = huber(p, y, delta = 0.3)", mean([huber(x, 0.3) for x in d]), p=p, y=y)
    case("input p, y; out = bce(p, y)", -(0.25 * log(0.8) + 0.75 * log(0.2)), p=0.8, y=0.25)
    case("input z[4], y[4]; out = bce_logits(z, y)",
         mean([-(b * log(sigmoid(a)) + (1 - b) * log(1 - sigmoid(a))) for a, b in zip(p, [0, 1, 1, 0.3])]),
         z=p, y=[0, 1, 1, 0.3])
    case("input z[3], k; out = cross_entropy(z, k)", lse([2, 1, 0.1]) - 2, z=[2, 1, 0.1], k=0)
    q = [0.2, 0.5, 0.3]
    case("input z[3], y[3]; out = cross_entropy(z, y)",
         -sum(a * log(b) for a, b in zip(q, softmax([2, 1, 0.1]))), z=[2, 1, 0.1], y=q)
    case("input p[3], q[3]; out = kl(p, q)", 0.6 * log(0.6 / 0.2) + 0.4 * log(0.4 / 0.5), p=[0.6, 0.4, 0], q=[0.2, 0.5, 0.3])
    case("input z, y; out = hinge(z, y)", 1.4, z=0.4, y=-1)
    case("input z; out = hinge(z)", 0.6, z=0.4)


def layers():
    x = numbers(3, 0.4)
    W, b = matrix(2, 3, 1.3), numbers(2, 0.1)
    case("input x[3]; out = dense(x, 2)", add(mv(W, x), b), x=x, dense1__W=W, dense1__b=b)
    case("input x[3]; out = x |> dense(2, tanh)", each(tanh, add(mv(W, x), b)), x=x, dense1__W=W, dense1__b=b)
    E = matrix(4, 3, 0.7)
    case("input t; out = embedding(t, 4, 3)", E[2], t=2, embedding1__E=E)
    case("input t[3]; out = embedding(t, 4, 3)", [E[2], E[0], E[3]], t=[2, 0, 3], embedding1__E=E)
    gain, shift = numbers(3, 0.2), numbers(3, 2.0)
    normal = [(v - mean(x)) / sqrt(variance(x) + 1e-5) for v in x]
    case("input x[3]; out = layernorm(x)", add(times(gain, normal), shift), x=x, layernorm1__gain=gain, layernorm1__shift=shift)
    image = [matrix(4, 5, 0.3), matrix(4, 5, 1.9)]
    K = [[matrix(3, 3, 0.5 + f + c / 2) for c in range(2)] for f in range(3)]
    bias = numbers(3, 0.6)
    conv = [[[bias[f] + sum(image[c][r + i][q + j] * K[f][c][i][j] for c in range(2) for i in range(3) for j in range(3))
              for q in range(3)] for r in range(2)] for f in range(3)]
    case("input x[2,4,5]; out = conv2d(x, 3, 3)", conv, x=image, conv2d1__W=K, conv2d1__b=bias)
    case("input x[2,4,5]; out = conv2d(x, filters = 3, size = 3, f = relu)", [[each(lambda v: max(v, 0.0), row) for row in m] for m in conv],
         x=image, conv2d1__W=K, conv2d1__b=bias)
    pooled = lambda f: [[[f([image[c][2 * r + i][2 * q + j] for i in range(2) for j in range(2)]) for q in range(2)] for r in range(2)] for c in range(2)]
    case("input x[2,4,5]; out = maxpool2d(x)", pooled(max), x=image)
    case("input x[2,4,5]; out = avgpool2d(x, 2)", pooled(mean), x=image)


def recurrences():
    xs, n = matrix(4, 3, 0.9), 2
    W, U, b = matrix(n, 3, 0.2), matrix(n, n, 1.2), numbers(n, 2.2)
    h, states = [0.0] * n, []
    for x in xs:
        h = each(tanh, add(mv(W, x), mv(U, h), b))
        states.append(h)
    case("input xs[4,3]; out = rnn(xs, 2)", states, xs=xs, rnn1__W=W, rnn1__U=U, rnn1__b=b)

    P = {f"{kind}{gate}": value for i, gate in enumerate("rzc")
         for kind, value in (("W", matrix(n, 3, i + 0.1)), ("U", matrix(n, n, i + 0.4)), ("b", numbers(n, i + 0.8)))}
    h, states = [0.0] * n, []
    for x in xs:
        gate = lambda g, state: add(mv(P["W" + g], x), mv(P["U" + g], state), P["b" + g])
        r, z = each(sigmoid, gate("r", h)), each(sigmoid, gate("z", h))
        c = each(tanh, gate("c", times(r, h)))
        h = [zi * hi + (1 - zi) * ci for zi, hi, ci in zip(z, h, c)]
        states.append(h)
    case("input xs[4,3]; out = gru(xs, 2)", states, xs=xs, **{f"gru1__{k}": v for k, v in P.items()})

    P = {f"{kind}{gate}": value for i, gate in enumerate("ifoc")
         for kind, value in (("W", matrix(n, 3, i + 0.1)), ("U", matrix(n, n, i + 0.4)), ("b", numbers(n, i + 0.8)))}
    h, c, states = [0.0] * n, [0.0] * n, []
    for x in xs:
        gate = lambda g: add(mv(P["W" + g], x), mv(P["U" + g], h), P["b" + g])
        i, f, o = each(sigmoid, gate("i")), each(sigmoid, gate("f")), each(sigmoid, gate("o"))
        c = add(times(f, c), times(i, each(tanh, gate("c"))))
        h = times(o, each(tanh, c))
        states.append(h)
    case("input xs[4,3]; out = lstm(xs, 2)", states, xs=xs, **{f"lstm1__{k}": v for k, v in P.items()})


def attention():
    steps, width = 3, 4
    xs = matrix(steps, width, 0.5)
    P = {name: matrix(width, width, i + 0.3) for i, name in enumerate("QKVO")}
    for heads, causal in ((1, False), (2, False), (2, True)):
        part = width // heads
        q, k, v = (mm(xs, P[name]) for name in "QKV")
        mixed = [[0.0] * width for _ in range(steps)]
        for h in range(heads):
            cut = slice(h * part, (h + 1) * part)
            for t in range(steps):
                seen = t + 1 if causal else steps
                scores = [sum(times(q[t][cut], k[s][cut])) / sqrt(part) for s in range(seen)]
                weights = softmax(scores)
                for i in range(part):
                    mixed[t][h * part + i] = sum(w * v[s][h * part + i] for s, w in enumerate(weights))
        arguments = f"heads = {heads}, causal = {str(causal).lower()}" if heads > 1 else ""
        comma = ", " if arguments else ""
        case(f"input xs[3,4]; out = attention(xs{comma}{arguments})", mm(mixed, P["O"]), xs=xs,
             **{f"attention1__{name}": value for name, value in P.items()})


functions()
activations()
losses()
layers()
recurrences()
attention()
