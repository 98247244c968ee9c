"""Makes examples/data/line.csv: y = 2x + 1 + 0.3·noise, 1000 rows, and prints its least squares fit.

python3 line.py   (NumPy 2.3)
"""

import pathlib

import numpy as np

random = np.random.default_rng(0)
x = random.uniform(-3, 3, 1000).round(4)
y = (2 * x + 1 + 0.3 * random.standard_normal(1000)).round(4)
path = pathlib.Path(__file__).parents[3] / "examples/data/line.csv"
path.write_text("x,y\n" + "".join(f"{a},{b}\n" for a, b in zip(x, y)))
print(np.polyfit(x, y, 1))
