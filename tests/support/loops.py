"""Minimal pipelines without weights, whose loops step in ways that pipelines of diffusers do."""

from __future__ import annotations

import copy

import torch


class Scheduler:
    """Adds the prediction."""

    def __init__(self) -> None:
        self.timesteps = torch.tensor([3.0, 1.0])

    def step(self, model_output: torch.Tensor, timestep: float, sample: torch.Tensor) -> tuple[torch.Tensor]:  # noqa: ARG002 - as in diffusers
        return (sample + model_output,)


class Vae:
    """Its latents are the pictures."""

    def encode(self, pictures: torch.Tensor) -> tuple[torch.Tensor]:
        return (pictures,)

    def decode(self, latents: torch.Tensor) -> tuple[torch.Tensor]:
        return (latents,)


class Denoiser(torch.nn.Module):
    """Predicts a constant."""

    def forward(self, latents: torch.Tensor) -> tuple[torch.Tensor]:
        return (torch.full_like(latents, 0.5),)


class Pipeline:
    """A loop over a video of three frames `[1, 2, 3, 4, 4]`, in one of several ways."""

    def __init__(self, way: str) -> None:
        self.scheduler, self.vae, self.transformer = Scheduler(), Vae(), Denoiser()
        self.start = torch.arange(96.0).reshape(1, 2, 3, 4, 4)
        self._way = way

    def __call__(self) -> torch.Tensor:
        latents = self.start.clone()
        if self._way == "rebuilt":
            self.scheduler = Scheduler()
        copies = [copy.deepcopy(self.scheduler) for _ in range(3)]
        for timestep in self.scheduler.timesteps:
            (predicted,) = self.transformer(latents)
            if self._way == "frames":
                for number, each in enumerate(copies):
                    frame = latents[:, :, number]
                    latents[:, :, number] = each.step(predicted[:, :, number], timestep, frame)[0]
            else:
                (latents,) = self.scheduler.step(predicted, timestep, latents)
                if self._way == "audio":
                    copies[0].step(torch.ones(5), timestep, torch.ones(5))
        return self.vae.decode(latents)[0]


class Combined:
    """Two pipelines one after the other, as Kandinsky's; it shares the scheduler of the second."""

    def __init__(self) -> None:
        self.prior_pipe, self.decoder_pipe = Pipeline("plain"), Pipeline("plain")
        self.scheduler, self.movq = self.decoder_pipe.scheduler, self.decoder_pipe.vae

    def __call__(self) -> torch.Tensor:
        self.prior_pipe()
        return self.decoder_pipe()
