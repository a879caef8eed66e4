#!/bin/sh
# Install the ffmpeg program that judges what benchbench reads, if it is not there.
set -e
command -v ffmpeg >/dev/null || { apt-get update -q; apt-get install -y -q ffmpeg; }
ffmpeg -hide_banner -version | head -n 1
