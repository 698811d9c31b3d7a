"""Changes of protobuf files that break a peer built from the earlier ones, on the wire or in its source."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    ServiceDescriptorProto,
)
from lint_style import LANGUAGE_OPTIONS


@dataclass(frozen=True)
class _Index:
    """What a set of files declares, by full name; `home` is the file of each."""

    messages: dict[str, DescriptorProto] = field(default_factory=dict)
    enums: dict[str, EnumDescriptorProto] = field(default_factory=dict)
    services: dict[str, ServiceDescriptorProto] = field(default_factory=dict)
    home: dict[str, str] = field(default_factory=dict)


def breaking_changes(old: list[FileDescriptorProto], new: list[FileDescriptorProto]) -> list[str]:
    """One sentence for each; empty if every peer built from `old` goes on working and compiling with `new`."""
    return [*_file_changes(old, new), *_declaration_changes(_index(old), _index(new))]


def _index(files: list[FileDescriptorProto]) -> _Index:
    index = _Index()
    for file in files:
        for message in file.message_type:
            _add_message(index, message, f"{file.package}.{message.name}", file.name)
        for enum in file.enum_type:
            index.enums[f"{file.package}.{enum.name}"] = enum
            index.home[f"{file.package}.{enum.name}"] = file.name
        for service in file.service:
            index.services[f"{file.package}.{service.name}"] = service
            index.home[f"{file.package}.{service.name}"] = file.name
    return index


def _add_message(index: _Index, message: DescriptorProto, name: str, file: str) -> None:
    index.messages[name] = message
    index.home[name] = file
    for nested in message.nested_type:
        _add_message(index, nested, f"{name}.{nested.name}", file)
    for enum in message.enum_type:
        index.enums[f"{name}.{enum.name}"] = enum
        index.home[f"{name}.{enum.name}"] = file


def _file_changes(old: list[FileDescriptorProto], new: list[FileDescriptorProto]) -> Iterator[str]:
    present = {file.name: file for file in new}
    for before in old:
        after = present.get(before.name)
        if after is None:
            yield f"file {before.name} was removed"
            continue
        for option in LANGUAGE_OPTIONS:
            was, now = getattr(before.options, option), getattr(after.options, option)
            if was != now:
                yield f"file {before.name}: option {option} was {was!r}, is {now!r}"


def _declaration_changes(old: _Index, new: _Index) -> Iterator[str]:
    for name, home in old.home.items():
        if name in new.home and new.home[name] != home:
            yield f"{name} moved from {home} to {new.home[name]}"
    for name, message in old.messages.items():
        if name in new.messages:
            yield from _message_changes(name, message, new.messages[name])
        else:
            yield f"message {name} was removed"
    for name, enum in old.enums.items():
        if name in new.enums:
            yield from _enum_changes(name, enum, new.enums[name])
        else:
            yield f"enum {name} was removed"
    for name, service in old.services.items():
        if name in new.services:
            yield from _service_changes(name, service, new.services[name])
        else:
            yield f"service {name} was removed"


def _message_changes(name: str, old: DescriptorProto, new: DescriptorProto) -> Iterator[str]:
    by_number = {declared.number: declared for declared in new.field}
    by_name = {declared.name: declared for declared in new.field}
    for before in old.field:
        after = by_number.get(before.number)
        if after is None and before.name in by_name:
            yield f"field {name}.{before.name} was number {before.number}, is {by_name[before.name].number}"
        elif after is None:
            yield f"field {name}.{before.name} = {before.number} was removed"
        else:
            was, now = _signature(before, old), _signature(after, new)
            if was != now:
                yield f"field {name}.{before.name} = {before.number} was `{was}`, is `{now}`"


def _signature(declared: FieldDescriptorProto, message: DescriptorProto) -> str:
    """What a peer relies on: label, type, name, JSON name, presence and oneof."""
    kind = declared.type_name or FieldDescriptorProto.Type.Name(declared.type).removeprefix("TYPE_").lower()
    label = FieldDescriptorProto.Label.Name(declared.label).removeprefix("LABEL_").lower()
    if label == "optional" and not declared.proto3_optional:
        label = "singular"
    oneof = ""
    if declared.HasField("oneof_index") and not declared.proto3_optional:
        oneof = f" in oneof {message.oneof_decl[declared.oneof_index].name}"
    return f"{label} {kind} {declared.name} (JSON {declared.json_name or declared.name}){oneof}"


def _enum_changes(name: str, old: EnumDescriptorProto, new: EnumDescriptorProto) -> Iterator[str]:
    names = {value.number: value.name for value in new.value}
    for value in old.value:
        now = names.get(value.number)
        if now is None:
            yield f"value {name}.{value.name} = {value.number} was removed"
        elif now != value.name:
            yield f"value {name}.{value.name} = {value.number} is now named {now}"


def _service_changes(name: str, old: ServiceDescriptorProto, new: ServiceDescriptorProto) -> Iterator[str]:
    methods = {method.name: method for method in new.method}
    for before in old.method:
        after = methods.get(before.name)
        if after is None:
            yield f"rpc {name}.{before.name} was removed"
            continue
        for part in ("input_type", "output_type", "client_streaming", "server_streaming"):
            was, now = getattr(before, part), getattr(after, part)
            if was != now:
                yield f"rpc {name}.{before.name}: {part} was {was}, is {now}"
