"""A Lightning module; a callback of six lines reports its validation loss."""

import logging

import lightning
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)


class Digits(lightning.LightningModule):
    """A network of one hidden layer."""

    def __init__(self, width, dropout, lr):
        """Build the layers."""
        super().__init__()
        self.lr = lr
        self.net = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, 10))

    def training_step(self, batch, _):
        """Return the loss of a batch."""
        return nn.functional.cross_entropy(self.net(batch[0]), batch[1])

    def validation_step(self, batch, _):
        """Log the loss of a batch."""
        self.log("val_loss", nn.functional.cross_entropy(self.net(batch[0]), batch[1]))

    def configure_optimizers(self):
        """Use Adam."""
        return torch.optim.Adam(self.parameters(), lr=self.lr)


class Report(lightning.Callback):
    """Reports the validation loss after each epoch."""

    def __init__(self, report):
        """Take the trial's report function."""
        self.report = report

    def on_validation_end(self, trainer, _):
        """Report; a pruned trial ends here."""
        self.report(trainer.callback_metrics["val_loss"], step=trainer.current_epoch + 1)


def train(config, report):
    """Return the validation loss after the last epoch."""
    lightning.seed_everything(config.seed, verbose=False)
    images, digits = load_digits(return_X_y=True)
    data = TensorDataset(torch.tensor(images, dtype=torch.float32) / 16, torch.tensor(digits))
    train_set, val_set = data[:1200], data[1200:]
    trainer = lightning.Trainer(
        max_epochs=config.epochs,
        accelerator="cpu",
        callbacks=[Report(report)],
        default_root_dir=config.dir,
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(
        Digits(**config.searched),
        DataLoader(TensorDataset(*train_set), batch_size=64, shuffle=True),
        DataLoader(TensorDataset(*val_set), batch_size=600),
    )
    return trainer.callback_metrics["val_loss"]
