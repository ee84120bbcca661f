"""Run by the inpainting model's own python: fills where the mask is white, through diffusers."""

import sys
from pathlib import Path


def load(settings):
    import torch
    from diffusers import StableDiffusionInpaintPipeline
    from serve import device, photo

    where = device(settings.device)
    pipeline = StableDiffusionInpaintPipeline.from_pretrained(
        str(settings.checkpoint), torch_dtype=torch.float16 if where.startswith("cuda") else torch.float32
    ).to(where)

    def work(job):
        picture, mask = photo(job.inputs["image"]), photo(job.inputs["mask"], "L")
        if mask.size != picture.size:
            raise ValueError("the mask is {}x{}, the image {}x{}".format(*mask.size, *picture.size))
        fill(pipeline, picture, mask.point(lambda value: 255 * (value > 127)), job.options).save(job.out / "image.png")

    return work


def fill(pipeline, picture, mask, options):
    """The picture with the white part of the mask drawn by the model, at the size that the model was trained for."""
    import torch
    from PIL import Image

    largest = pipeline.unet.config.sample_size * pipeline.vae_scale_factor
    # the latents are a vae_scale_factor smaller, and the UNet halves them once more per block
    step = pipeline.vae_scale_factor * 2 ** (len(pipeline.unet.config.block_out_channels) - 1)
    scale = largest / max(picture.size)
    width, height = (max(round(length * scale / step), 1) * step for length in picture.size)
    drawn = pipeline(
        prompt=options["prompt"],
        image=picture.resize((width, height), Image.Resampling.LANCZOS),
        mask_image=mask.resize((width, height), Image.Resampling.NEAREST),
        width=width,
        height=height,
        num_inference_steps=options["steps"],
        guidance_scale=options["guidance"],
        generator=torch.Generator("cpu").manual_seed(options["seed"]),
    )
    if drawn.nsfw_content_detected and any(drawn.nsfw_content_detected):
        raise RuntimeError("the checkpoint's safety checker has blanked the picture")
    return Image.composite(drawn.images[0].convert("RGB").resize(picture.size, Image.Resampling.LANCZOS), picture, mask)


if __name__ == "__main__":
    # In place of this folder, whose names would hide those of the model's own modules.
    sys.path[0] = str(Path(__file__).resolve().parent.parent / "child")
    from serve import serve

    serve(load)
