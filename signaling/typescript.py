"""The web interface's message types from signaling/messages.py: python -m signaling.typescript [--check]."""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path
from typing import Literal, get_origin

import msgspec
from msgspec import inspect as wire

from signaling import messages

OUTPUT = Path(__file__).resolve().parent.parent / "consult_ui" / "src" / "wire" / "messages.ts"
HEADER = "// Every message on the wire. Written by `python -m signaling.typescript`; do not edit.\n"


def render() -> str:
    """The whole TypeScript module: one type per Literal alias, one interface per Struct, in source order."""
    tree = ast.parse(inspect.getsource(messages))
    aliases = _literal_aliases()
    parts = [HEADER]
    parts += [f"export type {name} = {_union(values)};\n" for values, name in aliases.items()]
    for node in tree.body:
        if not isinstance(node, ast.ClassDef):
            continue
        struct = getattr(messages, node.name)
        if struct in (messages.Request, messages.View):
            continue
        parts.append(_interface(node, struct, aliases))
    return "\n".join(parts)


def _literal_aliases() -> dict[tuple[str, ...], str]:
    """Values of each named Literal of the messages module -> its name."""
    return {
        tuple(sorted(value.__args__)): name
        for name, value in vars(messages).items()
        if get_origin(value) is Literal
    }


def _interface(node: ast.ClassDef, struct: type[msgspec.Struct], aliases: dict[tuple[str, ...], str]) -> str:
    info = wire.type_info(struct)
    assert isinstance(info, wire.StructType)
    from_client = issubclass(struct, messages.Request)
    docs = _field_docs(node)
    lines = [*_comment(ast.get_docstring(node), ""), f"export interface {node.name} {{"]
    for field in info.fields:
        lines += _comment(docs.get(field.name), "  ")
        # A client may leave out what has a default; the server always sends every field.
        mark = "?" if from_client and not field.required else ""
        lines.append(f"  {field.encode_name}{mark}: {_type(field.type, aliases)};")
    lines.append("}\n")
    return "\n".join(lines)


def _field_docs(node: ast.ClassDef) -> dict[str, str]:
    """The string literal that follows a field, by field name."""
    docs: dict[str, str] = {}
    for before, after in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(before, ast.AnnAssign)
            and isinstance(before.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
            and isinstance(after.value.value, str)
        ):
            docs[before.target.id] = inspect.cleandoc(after.value.value)
    return docs


def _comment(text: str | None, indent: str) -> list[str]:
    if not text:
        return []
    lines = text.replace("*/", "* /").split("\n")
    if len(lines) == 1:
        return [f"{indent}/** {lines[0]} */"]
    return [f"{indent}/**", *(f"{indent} * {line}".rstrip() for line in lines), f"{indent} */"]


def _union(values: tuple[object, ...]) -> str:
    return " | ".join(msgspec.json.encode(value).decode() for value in values)


def _type(kind: wire.Type, aliases: dict[tuple[str, ...], str]) -> str:
    match kind:
        case wire.Metadata(type=inner):
            return _type(inner, aliases)
        case wire.StructType(cls=cls):
            return cls.__name__
        case wire.LiteralType(values=values):
            named = aliases.get(tuple(sorted(map(str, values))))
            return named or _union(values)
        case wire.UnionType(types=types):
            return " | ".join(_type(one, aliases) for one in types)
        case wire.ListType(item_type=item):
            inside = _type(item, aliases)
            return f"({inside})[]" if " | " in inside else f"{inside}[]"
        case wire.TupleType(item_types=items):
            return f"[{', '.join(_type(one, aliases) for one in items)}]"
        case wire.DictType(key_type=key, value_type=value):
            # Of a closed set of keys any may be missing.
            record = f"Record<{_type(key, aliases)}, {_type(value, aliases)}>"
            return f"Partial<{record}>" if isinstance(key, wire.LiteralType) else record
        case wire.StrType() | wire.DateType() | wire.DateTimeType():
            return "string"
        case wire.IntType() | wire.FloatType():
            return "number"
        case wire.BoolType():
            return "boolean"
        case wire.BytesType():
            return "ArrayBuffer"
        case wire.NoneType():
            return "null"
    raise TypeError(f"no TypeScript for {kind}")


def main(arguments: list[str]) -> int:
    """Write the file; with --check only compare, 1 where it differs."""
    text = render()
    if arguments == ["--check"]:
        current = OUTPUT.read_text("utf-8") if OUTPUT.exists() else ""
        if current == text:
            return 0
        print(f"{OUTPUT} differs: run python -m signaling.typescript", file=sys.stderr)
        return 1
    if arguments:
        print("usage: python -m signaling.typescript [--check]", file=sys.stderr)
        return 2
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
