"""The figures in tests/it/networks.rs that come from other programs.

python3 references.py   (NumPy 2.3, SciPy 1.17, scikit-learn 1.9)

The optima are those of convex problems, to 1e-12; the accuracies those of scikit-learn's
MLPClassifier of the same size with the same optimizer, rate, batch and epochs, on the five folds
"rows i with i mod 5 = fold are the test", five seeds each.
"""

import pathlib
import warnings

import numpy as np
from scipy.optimize import minimize
from sklearn.neural_network import MLPClassifier

FOLDER = pathlib.Path(__file__).parents[3] / "examples/data"


def table(name):
    rows = np.loadtxt(FOLDER / f"{name}.csv", delimiter=",", skiprows=1)
    return rows[:, :-1], rows[:, -1]


def standardized(x, train):
    deviation = x[train].std(axis=0)
    return (x - x[train].mean(axis=0)) / np.where(deviation == 0, 1, deviation)


def linear_regression():
    x, y = table("diabetes")
    x = np.column_stack([standardized(x, slice(None)), np.ones(len(y))])
    w, *_ = np.linalg.lstsq(x, y, rcond=None)
    print("diabetes: mean squared error", repr(np.mean((x @ w - y) ** 2)), "w[2]", repr(w[2]))


def logistic_regression():
    x, y = table("breast_cancer")
    x = standardized(x, slice(None))

    def value(p):
        z = x @ p[:-1] + p[-1]
        return np.mean(np.logaddexp(0, z) - y * z) + 0.01 / 2 * p[:-1] @ p[:-1]

    def gradient(p):
        residual = (1 / (1 + np.exp(-(x @ p[:-1] + p[-1]))) - y) / len(y)
        return np.append(x.T @ residual + 0.01 * p[:-1], residual.sum())

    def hessian(p):
        s = 1 / (1 + np.exp(-(x @ p[:-1] + p[-1])))
        xs = np.column_stack([x, np.ones(len(y))])
        h = (xs.T * (s * (1 - s) / len(y))) @ xs
        h[range(30), range(30)] += 0.01
        return h

    p = minimize(value, np.zeros(31), jac=gradient, hess=hessian, method="trust-exact", tol=1e-13).x
    for _ in range(5):
        p = p - np.linalg.solve(hessian(p), gradient(p))
    print("breast_cancer: loss", repr(value(p)), "gradient", abs(gradient(p)).max(), "w[0]", repr(p[0]))


def networks():
    #      table           hidden  rate   batch  epochs  divide
    for name, hidden, rate, batch, epochs, scale in [
        ("iris",          16, 0.02,  20, 30, None),
        ("wine",          16, 0.01,  20, 30, None),
        ("breast_cancer", 16, 0.003, 32, 30, None),
        ("digits",       128, 0.003, 64, 30, 16.0),
    ]:
        x, y = table(name)
        found = []
        for fold in range(5):
            test = np.arange(len(y)) % 5 == fold
            scaled = x / scale if scale else standardized(x, ~test)
            for seed in range(5):
                network = MLPClassifier((hidden,), "relu", solver="adam", learning_rate_init=rate, alpha=0,
                                        batch_size=batch, max_iter=epochs, n_iter_no_change=epochs,
                                        random_state=seed)
                network.fit(scaled[~test], y[~test])
                found.append(network.score(scaled[test], y[test]))
        print(f"{name}: accuracy {np.mean(found):.4f}, of the folds' means",
              np.round(np.reshape(found, (5, 5)).mean(axis=1), 4))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    linear_regression()
    logistic_regression()
    networks()
