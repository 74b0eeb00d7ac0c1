r"""Vectors that ones repeat: the columns of v 1ᵀ are all v, the rows of 1 vᵀ too, and how many there are is open."""

from dataclasses import replace

from oracle.lesson.meaning.values import Dim, Tensor, Value


def repeated(product: Value, a: Value, b: Value) -> Value:
    """a b of a column and a row of which one (or both) are ones; `product` is its vector, or its number."""
    data, kept = product.data, product.shape
    if data is not None:
        data = data.unsqueeze(-1) if kept and b.ones else data.unsqueeze(-2) if kept else data[..., None, None]
    rows = kept[0] if kept and b.ones else Dim("as many rows as fit", open=True)
    columns = kept[0] if kept and a.ones else Dim("as many columns as fit", open=True)
    return Value(data, product.names, product.dims, (rows, columns))


def settled(value: Value, dims: tuple[Dim, ...], sizes: tuple[int, ...]) -> Value:
    """A value whose open places are `dims`, of these sizes, in the order of its places."""
    shape, data = list(value.shape), value.data
    at = [k for k, dim in enumerate(shape) if dim.open]
    for n, k in enumerate(at):
        shape[k] = dims[n]
        data = None if data is None else _grown(data, len(value.names) + k, sizes[n])
    return replace(value, data=data, shape=tuple(shape))


def _grown(data: Tensor, axis: int, size: int) -> Tensor:
    return data.expand([size if k == axis else n for k, n in enumerate(data.shape)])
