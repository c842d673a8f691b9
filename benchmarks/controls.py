"""Controls: guidance that must not help. A plugin, for `mgd3 distill` and `mgd3 sweep`.

    mgd3 sweep cifar10 --plugin benchmarks/controls.py --method mgd3,wrong-class,random-points

If modes say something about their class, an image that is drawn to a mode of another class must teach less, and so must
one that is drawn to a random point as far from the origin as its mode.
"""
import torch

from mgd3.data import image_seed
from mgd3.guidance import SETTINGS
from mgd3.methods import DISCOVERY, method, sampled, straight


@method(*SETTINGS, *DISCOVERY, name="wrong-class")
def wrong_class(job, labels, numbers):
    "Guided to the modes of the next class."
    others = (labels + 1) % len(job.data.classes)
    return sampled(job, labels, numbers, job.modes_of(others, numbers), straight(job))


@method(*SETTINGS, *DISCOVERY, name="random-points")
def random_points(job, labels, numbers):
    "Guided to random points, each as far from the origin as the mode in its place."
    modes = job.modes_of(labels, numbers)
    def noise(label, number):
        # another stream than that of the noise that sampling begins with
        g = torch.Generator().manual_seed(image_seed(job.seed + 2**23, label, number))
        return torch.randn(modes.shape[1:], generator=g)
    z = torch.stack([noise(l, i) for l, i in zip(labels.tolist(), numbers.tolist())])
    length = lambda v: v.flatten(1).norm(dim=1)[:, None, None, None]
    return sampled(job, labels, numbers, z * length(modes) / length(z), straight(job))
