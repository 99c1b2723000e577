"""The search for the best plans.

From costs per pool, degree and micro-batch (`table`) follow bounds on what each pair of data-parallel degree and
micro-batch can give (`pairs`). For the best of them shapes are drawn up: which pools in which order, with which degree
and how many stages (`shapes`, `estimating`). The likeliest become pipelines, stage by stage: layers are dealt out
(`dealing`) and a step is predicted (`scoring`), for hundreds of shapes in the same array operations. Their neighbours are
looked at in turn, and the last ones are polished layer by layer (`polishing`). What is found is built as plans with the
exact costs and confirmed by the event simulation (`building`, `finding`). Sizes of arrays follow from layers and kinds of
chips, never from how many chips there are.
"""
