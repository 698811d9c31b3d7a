"""Style of protobuf files, read from their descriptors with source information: rules of buf's standard set."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    ServiceDescriptorProto,
)

LANGUAGE_OPTIONS = (
    "csharp_namespace",
    "go_package",
    "java_multiple_files",
    "java_outer_classname",
    "java_package",
    "swift_prefix",
)
_PASCAL = re.compile(r"([A-Z][a-z0-9]*)+")
_LOWER_SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_UPPER_SNAKE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
_VERSION = re.compile(r"v[1-9][0-9]*")

# Field numbers of descriptor.proto, of which the paths of source information are made.
_MESSAGE, _ENUM, _SERVICE = 4, 5, 6
_NESTED_MESSAGE, _NESTED_ENUM, _METHOD = 3, 4, 2

Path = tuple[int, ...]


def style_problems(files: list[FileDescriptorProto]) -> list[str]:
    """One sentence for each breach, beginning with the file's name; empty if there is none."""
    problems = [f"{file.name}: {problem}" for file in files for problem in _file_problems(file)]
    return problems + _shared_request_problems(files)


def _file_problems(file: FileDescriptorProto) -> Iterator[str]:
    directory = str(PurePosixPath(file.name).parent).replace("/", ".")
    if file.package != directory:
        yield f"package {file.package!r} does not name its directory {directory!r}"
    if not _VERSION.fullmatch(file.package.rpartition(".")[2]):
        yield f"package {file.package!r} does not end in a version (v1)"
    if file.syntax != "proto3":
        yield f"syntax is {file.syntax or 'proto2'}, not proto3"
    if not _LOWER_SNAKE.fullmatch(PurePosixPath(file.name).stem):
        yield "the file's name is not lower_snake_case"
    for option in LANGUAGE_OPTIONS:
        if not getattr(file.options, option):
            yield f"option {option} is not set"
    comments = {tuple(place.path): place.leading_comments.strip() for place in file.source_code_info.location}
    for i, message in enumerate(file.message_type):
        yield from _message_problems(message, message.name, (_MESSAGE, i), comments)
    for i, enum in enumerate(file.enum_type):
        yield from _enum_problems(enum, enum.name, (_ENUM, i), comments)
    for i, service in enumerate(file.service):
        yield from _service_problems(service, (_SERVICE, i), comments)


def _message_problems(message: DescriptorProto, name: str, path: Path, comments: dict[Path, str]) -> Iterator[str]:
    if message.options.map_entry:
        return  # made by the compiler
    if not _PASCAL.fullmatch(message.name):
        yield f"message {name} is not PascalCase"
    if not comments.get(path) and not message.name.endswith(("Request", "Response")):
        yield f"message {name} has no comment"
    for field in message.field:
        if not _LOWER_SNAKE.fullmatch(field.name):
            yield f"field {name}.{field.name} is not lower_snake_case"
    for oneof in message.oneof_decl:
        # An `optional` field lives in a oneof of the compiler's own, named _field.
        if not _LOWER_SNAKE.fullmatch(oneof.name.removeprefix("_")):
            yield f"oneof {name}.{oneof.name} is not lower_snake_case"
    for i, nested in enumerate(message.nested_type):
        yield from _message_problems(nested, f"{name}.{nested.name}", (*path, _NESTED_MESSAGE, i), comments)
    for i, enum in enumerate(message.enum_type):
        yield from _enum_problems(enum, f"{name}.{enum.name}", (*path, _NESTED_ENUM, i), comments)


def _enum_problems(enum: EnumDescriptorProto, name: str, path: Path, comments: dict[Path, str]) -> Iterator[str]:
    if not _PASCAL.fullmatch(enum.name):
        yield f"enum {name} is not PascalCase"
    if not comments.get(path):
        yield f"enum {name} has no comment"
    if enum.options.allow_alias:
        yield f"enum {name} allows two names for one number"
    prefix = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", enum.name).upper() + "_"
    for value in enum.value:
        if not value.name.startswith(prefix) or not _UPPER_SNAKE.fullmatch(value.name):
            yield f"value {name}.{value.name} is not {prefix} and more in UPPER_SNAKE_CASE"
        if (value.number == 0) != (value.name == f"{prefix}UNSPECIFIED"):
            yield f"value {name}.{value.name} = {value.number}: 0, and only 0, is {prefix}UNSPECIFIED"


def _service_problems(service: ServiceDescriptorProto, path: Path, comments: dict[Path, str]) -> Iterator[str]:
    if not _PASCAL.fullmatch(service.name) or not service.name.endswith("Service"):
        yield f"service {service.name} is not PascalCase with the suffix Service"
    if not comments.get(path):
        yield f"service {service.name} has no comment"
    for i, method in enumerate(service.method):
        name = f"{service.name}.{method.name}"
        if not _PASCAL.fullmatch(method.name):
            yield f"rpc {name} is not PascalCase"
        if not comments.get((*path, _METHOD, i)):
            yield f"rpc {name} has no comment"
        for kind, type_name in (("Request", method.input_type), ("Response", method.output_type)):
            given = type_name.rpartition(".")[2]
            if given != method.name + kind:
                yield f"rpc {name}: {given} is not named {method.name}{kind}"


def _shared_request_problems(files: list[FileDescriptorProto]) -> list[str]:
    users: dict[str, list[str]] = {}
    for file in files:
        for service in file.service:
            for method in service.method:
                for type_name in (method.input_type, method.output_type):
                    users.setdefault(type_name.lstrip("."), []).append(f"{service.name}.{method.name}")
    return [f"{name} is used more than once: {', '.join(rpcs)}" for name, rpcs in users.items() if len(rpcs) > 1]
