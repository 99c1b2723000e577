"""The search for the best plans.

From costs per pool, degree and micro-batch (`shaping.table`) follow bounds on what each way to cut the batch, by
data-parallel degree and micro-batch, can give (`shaping.cuts`). For the best of them shapes are drawn up: which pools
in which order, with which degree and how many stages (`shaping.shapes`, `shaping.estimating`). The likeliest become
pipelines, stage by stage: layers are dealt out and a step is predicted, for many shapes at once (`layering`). Their
neighbours are looked at in turn, and the last ones are polished layer by layer (`exploring`). What is found is built as
plans with the exact costs and confirmed by the event simulation (`building`, `finding`). Sizes of arrays follow from
layers and kinds of chips, never from how many chips there are.
"""
