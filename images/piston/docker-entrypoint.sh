#!/usr/bin/env bash
# Piston's own sets up cgroups before it starts the same.
exec node /piston_api/src
