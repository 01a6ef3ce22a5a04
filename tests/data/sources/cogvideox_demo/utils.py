import tempfile

from diffusers.utils import export_to_video


def load_upscaler(path, device):
    import spandrel

    return spandrel.ModelLoader().load_from_file(path).to(device)


def upscale_batch(model, batch, device):
    return model(batch.to(device))


def to_pil(frames):
    return [frame for frame in frames]


def save_video(tensor, fps: int = 8):
    path = tempfile.mktemp(suffix=".mp4")
    export_to_video(tensor, path, fps=fps)
    return path
