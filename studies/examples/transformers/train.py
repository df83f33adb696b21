"""The Trainer of transformers on a tiny GPT-2 with random weights; all options are TrainingArguments."""

import torch
from transformers import GPT2Config, GPT2LMHeadModel, HfArgumentParser, Trainer, TrainingArguments, set_seed

(arguments,) = HfArgumentParser(TrainingArguments).parse_args_into_dataclasses()
arguments.eval_strategy, arguments.eval_steps, arguments.save_strategy = "steps", 10, "no"
arguments.report_to, arguments.disable_tqdm, arguments.use_cpu = [], True, True


def patterns(n, seed):
    """Return n sequences of sixteen tokens in which each token is the sum of the two before, modulo 7."""
    draw = torch.Generator().manual_seed(seed)
    tokens = torch.randint(7, (n, 2), generator=draw)
    for _ in range(14):
        tokens = torch.cat([tokens, (tokens[:, -2:].sum(1, keepdim=True)) % 7], dim=1)
    return [{"input_ids": row, "labels": row} for row in tokens]


set_seed(arguments.seed)
model = GPT2LMHeadModel(
    GPT2Config(vocab_size=7, n_positions=16, n_embd=32, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0)
)
Trainer(model, arguments, train_dataset=patterns(1000, 1), eval_dataset=patterns(200, 2)).train()
