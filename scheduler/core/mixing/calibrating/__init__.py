"""From what workers measured of their stages to what a layer takes: what every plan starts from."""
