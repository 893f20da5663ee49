#!/usr/bin/env bash
# tinyshakespeare, character level, nanoGPT's CPU setting: 4 layers, 4 heads, width 128, context 64, batch 12, 2000 steps, dropout 0,
# learning rate 1e-3 → 1e-4 (100 steps warm-up, cosine), beta2 0.99, weight decay 0.1, clip 1. nanoGPT reports a validation loss of 1.88.
# Usage: runs/shakespeare-char.sh <tinyshakespeare.txt> [run folder]
set -euo pipefail
data=${1:?usage: runs/shakespeare-char.sh <tinyshakespeare.txt> [run folder]}
out=${2:-eitp-runs/shakespeare-char}
cd "$(dirname "$0")/.."
npx -y pnpm@10.34.9 eitp train --data "$data" --out "$out" --steps 2000 --seed 1337 \
  --set data.tokenizer=characters --set data.order=random --set data.validationFraction=0.1 \
  --set model.preset=micro --set model.dropout=0 \
  --set training.batch=12 --set training.gradientClip=1 \
  --set optimizer.learningRate=1e-3 --set optimizer.schedule.kind=cosine --set optimizer.schedule.warmup=100 --set optimizer.schedule.floor=1e-4 \
  --set optimizer.beta2=0.99 --set optimizer.weightDecay=0.1 \
  --set evaluation.every=250
