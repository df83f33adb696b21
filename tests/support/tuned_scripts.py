"""Ten argparse scripts of kinds that people tune; each prints what it got as JSON, then a metric."""

_TAIL = """
import json
print(json.dumps(vars(args), default=str))
print(f"val_loss: {0.5:.4f}")
"""

_BODIES = {
    "digits": """
import argparse
parser = argparse.ArgumentParser(description="Train on digits")
parser.add_argument("--lr", type=float, default=1e-3, metavar="LR", help="learning rate (default: 0.001)")
parser.add_argument("--hidden-dim", type=int, default=128)
parser.add_argument("--dropout", type=float, default=0.1)
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
""",
    "mnist_example": """
from __future__ import print_function
import argparse
def main():
    parser = argparse.ArgumentParser(description="PyTorch MNIST Example")
    parser.add_argument("--batch-size", type=int, default=64, metavar="N",
                        help="input batch size for training (default: 64)")
    parser.add_argument("--test-batch-size", type=int, default=1000, metavar="N")
    parser.add_argument("--epochs", type=int, default=14, metavar="N")
    parser.add_argument("--lr", type=float, default=1.0, metavar="LR")
    parser.add_argument("--gamma", type=float, default=0.7, metavar="M", help="Learning rate step gamma")
    parser.add_argument("--no-accel", action="store_true", help="disables accelerator")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--save-model", action="store_true")
    return parser.parse_args()
args = main()
""",
    "flags": """
import argparse
p = argparse.ArgumentParser()
p.add_argument("--learning-rate", "-l", dest="learning_rate", type=float, default=0.1)
p.add_argument("--no-bias", dest="bias", action="store_false", help="leave the bias out")
p.add_argument("--use_bn", action="store_true")
p.add_argument("--amp", action=argparse.BooleanOptionalAction, default=False)
p.add_argument("--trap", type=bool, default=True)
p.add_argument("-v", "--verbose", action="count", default=0)
args = p.parse_args()
""",
    "lists": """
import argparse
ACTIVATIONS = {"relu": 1, "tanh": 2}
SIZES = [64, 32]
p = argparse.ArgumentParser()
p.add_argument("--hidden-sizes", type=int, nargs="+", default=SIZES)
p.add_argument("--betas", type=float, nargs=2, default=(0.9, 0.999))
p.add_argument("--activation", choices=sorted(ACTIVATIONS), default="relu")
p.add_argument("--depth", type=int, choices=range(1, 9), default=2)
p.add_argument("--weight-decay", type=float, default=10 ** -4)
args = p.parse_args()
""",
    "groups": """
import argparse
def get_parser():
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group("optimisation")
    group.add_argument("--optimizer.lr", dest="optimizer.lr", type=float, default=3e-4)
    group.add_argument("--optimizer.momentum", dest="optimizer.momentum", type=float, default=0.9)
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--fast", action="store_true")
    either.add_argument("--slow", action="store_true")
    return parser
parser = argparse.ArgumentParser(parents=[get_parser()])
args = parser.parse_args()
""",
    "positional": """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("data", help="folder of the data")
parser.add_argument("extra", nargs="?", default="none")
parser.add_argument("--arch", "-a", default="resnet18", choices=["resnet18", "resnet50"])
parser.add_argument("-b", "--batch-size", default=256, type=int)
parser.add_argument("-j", type=int, default=4, help="workers")
args = parser.parse_args()
""",
    "required": """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--task", required=True, choices=["cola", "mnli"])
parser.add_argument("--model-name", required=True, type=str)
parser.add_argument("--max_seq_length", type=int, default=128)
parser.add_argument("--learning_rate", type=float, default=5e-5)
parser.add_argument("--output-dir", default="out")
args = parser.parse_args()
""",
    "computed": """
import argparse, os
parser = argparse.ArgumentParser()
add = parser.add_argument
add("--cache", default=os.path.join(os.getcwd(), "cache"), help="a folder of " + "its own")
add("--width", type=lambda text: int(text), default=32)
add("--momentum", type=float, default=0.5)
for name in ("alpha", "beta"):
    parser.add_argument("--" + name, type=float, default=1.0)
parser.set_defaults(momentum=0.9)
args = parser.parse_args()
""",
    "str2bool": r"""
import argparse
def str2bool(text):
    if text.lower() in ("yes", "true", "1"):
        return True
    if text.lower() in ("no", "false", "0"):
        return False
    raise argparse.ArgumentTypeError("boolean expected")
parser = argparse.ArgumentParser()
parser.add_argument("--use-bn", type=str2bool, default=True, help="help\nof \x1b[31mlines\x07, 100%% more")
parser.add_argument("--negative", type=float, default=-1e-5)
parser.add_argument("--text", default='he said "x" # [no]')
parser.add_argument("--untyped", default=0.5)
args = parser.parse_args()
""",
    "no_metric_of_its_own": '''
"""Nothing to tune but text."""
import argparse
parser = argparse.ArgumentParser(prog="x")
parser.add_argument("--kernel", default="rbf")
parser.add_argument("--random-state", type=int, default=0)
parser.add_argument("--version", action="version", version="1")
args = parser.parse_args()
''',
}

SCRIPTS = {name: body.lstrip() + _TAIL for name, body in _BODIES.items()}
"""Name -> source."""
