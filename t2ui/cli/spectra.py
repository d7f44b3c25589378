"""``spectra``: what a mix does to the singular values of every matrix, as a table, CSV, JSON or a page."""

from __future__ import annotations

import argparse
import csv
import io
from typing import Any

from t2ui.cli.common import (
    CommandError,
    common_flags,
    load_model,
    made_by,
    model_flags,
    percent,
    table,
    write_json,
    write_text,
)


def add_parsers(commands: Any) -> None:
    p = commands.add_parser("spectra", help="what a mix changes, matrix by matrix")
    p.add_argument("--mix", default="all", metavar="MIX", help="an expert, math=0.6,code=0.2, all, uniform, half, a recipe file")
    p.add_argument("--ranks", default="1,2,4,8,16,32,64", help="ranks of the LoRA view (default: 1,2,4,...,64)")
    p.add_argument("--csv", default=None, metavar="FILE", help="one line per matrix")
    p.add_argument("--html", default=None, metavar="FILE", help="a page with all plots that needs no network")
    model_flags(p), common_flags(p)
    p.set_defaults(run=run_spectra)


def columns_of(loaded: Any, mix: Any, ranks: tuple[int, ...]) -> dict[str, Any]:
    """Everything about a mix, JSON-able: ``matrices``, ``bands``, ``by_layer``, ``by_module``, ``lora``, ``cosines`` of
    z - 1 and of dW, ``spectra`` (sigma, sigma', z of every matrix). With LoRA experts: see :mod:`t2ui.core.spectra`."""
    from t2ui.core import bands, change, cosines, kept_by_lora, spectrum, summary
    from t2ui.core.spectra import Costly

    adapted, z = loaded.adapted, loaded.stack.change(mix)
    matrices = change(adapted, z)
    try:
        lora: dict[str, Any] = kept_by_lora(adapted, z, ranks)
    except Costly as error:
        lora = {"rank": [], "kept": [], "parameters": [], "by_matrix": [], "why": str(error)}
    return {
        "mix": str(mix), "model": loaded.info.name, "matrices": matrices, "bands": bands(adapted, z)["share"],
        "by_layer": summary(matrices, "layer"), "by_module": summary(matrices, "module"),
        "lora": lora, "cosines": cosines(loaded.stack),
        "cosines_dw": cosines(loaded.stack, weighted=True),
        "spectra": [spectrum(adapted, path, z) for path in adapted.paths],
    }  # fmt: skip


def run_spectra(args: argparse.Namespace) -> int:
    from t2ui.cli.evaluation import mix_of

    try:
        ranks = tuple(int(k) for k in args.ranks.split(","))
    except ValueError as error:
        raise CommandError(f"--ranks takes whole numbers such as 1,2,4, got {args.ranks!r}") from error
    loaded = load_model(args)
    mix = mix_of(loaded, args.mix)
    if isinstance(mix, str):
        raise CommandError(f"{args.mix} chooses a mix per prompt; give one mix, such as math=0.6,code=0.2")
    found = columns_of(loaded, mix, ranks)
    layer = found["by_layer"]
    print(f"{found['mix']} on {found['model']}")
    shares = layer.get("rescales")  # only with LoRA experts in the mix
    print(table([(k, percent(dw), f"{rms:.4f}", f"{mean:+.4f}", *([percent(shares[i]), percent(1 - shares[i])] if shares else []))
                 for i, (k, dw, rms, mean) in
                 enumerate(zip(layer["layer"], layer["dw_rel"], layer["rms"], layer["mean"], strict=True))],
                ("layer", "|dW|/|W|", "rms(z - 1)", "mean(z - 1)", *(["rescales", "rotates"] if shares else []))))  # fmt: skip
    if shares:
        print("rescales, rotates: shares of |dW|^2 on and off the diagonal of U^T dW V; rms and mean are of what rescales")
    lora = found["lora"]
    if "why" in lora:
        print(f"note: {lora['why']}")
    print()
    print(table([(k, percent(kept), f"{n:,}") for k, kept, n in zip(lora["rank"], lora["kept"], lora["parameters"], strict=True)],
                ("LoRA rank", "keeps of |dW|", "numbers")))  # fmt: skip
    if args.csv:
        write_text(args.csv, _csv(found))
    if args.html:
        write_text(args.html, page(found))
    write_json(args.json, {**found, "made_by": made_by(args)})
    return 0


def _csv(found: dict[str, Any]) -> str:
    matrices = found["matrices"]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    shares = [f"dw2_band_{i + 1}" for i in range(len(found["bands"][0]))]
    writer.writerow([*matrices, *shares])
    for i in range(len(matrices["path"])):
        writer.writerow([*(column[i] for column in matrices.values()), *found["bands"][i]])
    return out.getvalue()


def page(found: dict[str, Any]) -> str:
    """One HTML file: heatmap, spectra of the most changed matrix, experts against each other, LoRA view."""
    from html import escape

    from plotly.io import to_html

    from t2ui import plots
    from t2ui.core import grid

    matrices = found["matrices"]
    heat = grid(matrices, "dw_rel")
    most = max(range(len(matrices["path"])), key=lambda i: matrices["dw_rel"][i])
    names, cos = found["cosines"]["names"], found["cosines"]
    top = max([*matrices["dw_rel"], 1e-9])
    figures = [
        ("What changes where: |dW| / |W|", plots.change_heatmap(heat["values"], heat["layers"], heat["modules"], top,
                                                                 x_title="matrix", y_title="layer")),
        (f"Singular values of {matrices['path'][most]}, the most changed matrix", plots.spectrum_lines(found["spectra"][most])),
    ]  # fmt: skip
    if len(names) > 1:
        figures += [("Experts against each other: cosine of z - 1", plots.cosine_heatmap(cos["all"], names)),
                    ("The same along the layers", plots.layer_lines(names, cos["layers"], cos["by_layer"]))]  # fmt: skip
    figures.append(("What the best LoRA of each rank keeps", plots.lora_curve(found["lora"])))
    parts = [f"<h2>{escape(title)}</h2>{to_html(figure, full_html=False, include_plotlyjs=i == 0)}"
             for i, (title, figure) in enumerate(figures)]  # fmt: skip
    title = escape(f"{found['mix']} on {found['model']}")
    return (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>body{{font-family:'
            f'system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem}}</style></head><body><h1>{title}</h1>'
            f'{"".join(parts)}</body></html>\n')  # fmt: skip
