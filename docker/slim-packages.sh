#!/bin/sh
# What the installed packages hold and no container uses, a fifth of their size, is taken out of them: test suites, what
# compilers and type checkers read, second copies of Arrow's libraries and its network service, onnxruntime for C and
# its tools for making models, fontTools, and Databricks' client.
set -eu
cd /opt/venv/lib/python3*/site-packages
# NumPy imports one file of its own tests.
find . -path ./numpy/_core/tests -prune -o -type d -name tests -prune -exec rm -rf {} +
find numpy/_core/tests -type f ! -name '*_natype*' ! -name '__init__*' -delete
find . \( -name '*.pyx' -o -name '*.pxd' -o -name '*.pxi' -o -name '*.pyi' -o -name '*.a' -o -name '*.afm' \) -delete
# MLflow looks for the folder `databricks`, which therefore stays.
rm -rf pyarrow/include pyarrow/src pyarrow/*flight* pyarrow/_pyarrow_cpp_tests* pyarrow/libarrow*.so \
  pyarrow/libarrow*.so.*.*.* sqlalchemy/testing sklearn/datasets/images matplotlib/mpl-data/sample_data fontTools/misc/*.so \
  onnx/backend/test onnxruntime/capi/libonnxruntime.so* onnxruntime/transformers onnxruntime/tools \
  onnxruntime/quantization databricks/sdk numpy/distutils
# matplotlib imports two modules of it at once, the rest for PDF.
for folder in fontTools/*/; do [ "$folder" = fontTools/misc/ ] || rm -rf "$folder"; done
python -c 'import pandas, pyarrow.parquet, pyarrow.dataset, scipy.sparse, sklearn.linear_model'
