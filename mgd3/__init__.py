"""Dataset distillation with a pretrained diffusion model: the front door of mgd3.

`from mgd3 import distill_dataset` imports the module that holds the function, and no other.
"""
__version__ = "0.1.0"

from importlib import import_module

_ROOMS = dict(
    data="Data from_arrays",
    sources="load_data from_hf",
    folders="from_folder",
    generators="Generator",
    store="encode",
    modes="DISCOVERIES Modes discover_modes",
    schedules="SAMPLERS make_sampler mode_guided",
    guidance="ModeGuidance Sampling sample",
    stop_guidance="AtIndex AtShare AtSNR Recorder choose_guidance",
    beyond="TangentPull NoisedMode",
    toy="IdealDenoiser",
    parts="PULLS STARTS",
    methods="METHODS method load_plugin",
    split="split_folder",
    distill="distill_dataset",
    plan="plan_distillation",
    files="read_manifest verify",
    networks="make_network",
    hard_label_eval="HardLabel evaluate_hard",
    soft_label_eval="SoftLabel evaluate_soft store_labels",
    teachers="Teacher train_teacher make_teacher load_teacher",
    features="features_of penultimate",
    compare="Entry compare_students",
    evaluation="evaluate comparison_table",
    metrics="coverage dataset_metrics diversity representativeness",
    sweeps="sweep_settings",
    report="write_report",
    pretrain="pretrain_generator",
    tables="contact_sheet",
)
_HOME = {name: room for room, names in _ROOMS.items() for name in names.split()}
__all__ = sorted(_HOME)


def __getattr__(name):
    if name not in _HOME: raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)

def __dir__(): return sorted(set(globals()) | set(__all__))
