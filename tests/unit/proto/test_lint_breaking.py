"""Changes that break a peer are told from those that do not."""

import subprocess

import lint
import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from lint_breaking import breaking_changes

from faced_proto.v1 import analysis_pb2, errors_pb2, face_pb2, image_pb2, options_pb2, service_pb2

STRING, INT32, MESSAGE = (
    FieldDescriptorProto.TYPE_STRING,
    FieldDescriptorProto.TYPE_INT32,
    FieldDescriptorProto.TYPE_MESSAGE,
)
SINGULAR, REPEATED = FieldDescriptorProto.LABEL_OPTIONAL, FieldDescriptorProto.LABEL_REPEATED


def earlier() -> list[FileDescriptorProto]:
    file = FileDescriptorProto(name="shop/v1/cart.proto", package="shop.v1", syntax="proto3")
    file.options.go_package = "shop/v1"
    item = file.message_type.add(name="Item")
    item.field.add(name="title", number=1, type=STRING, label=SINGULAR)
    item.field.add(name="tags", number=2, type=STRING, label=REPEATED)
    item.field.add(name="size", number=3, type=INT32, label=SINGULAR, oneof_index=0)
    item.oneof_decl.add(name="measure")
    part = item.nested_type.add(name="Part")
    part.field.add(name="owner", number=1, type=MESSAGE, type_name=".shop.v1.Item", label=SINGULAR)
    kind = item.enum_type.add(name="Kind")
    kind.value.add(name="KIND_UNSPECIFIED", number=0)
    kind.value.add(name="KIND_SOLD", number=1)
    file.enum_type.add(name="Colour").value.add(name="COLOUR_UNSPECIFIED", number=0)
    service = file.service.add(name="CartService")
    service.method.add(name="Get", input_type=".shop.v1.GetRequest", output_type=".shop.v1.GetResponse")
    return [file, FileDescriptorProto(name="shop/v1/empty.proto", package="shop.v1", syntax="proto3")]


def item_of(files):
    return files[0].message_type[0]


def remove_field(files):
    del item_of(files).field[0]


def renumber_field(files):
    item_of(files).field[0].number = 9


def rename_field(files):
    item_of(files).field[0].name = "name"


def retype_field(files):
    item_of(files).field[2].type = STRING


def relabel_field(files):
    item_of(files).field[1].label = SINGULAR


def give_presence(files):
    item_of(files).field[0].proto3_optional = True


def leave_oneof(files):
    item_of(files).field[2].ClearField("oneof_index")


def retarget_nested(files):
    item_of(files).nested_type[0].field[0].type_name = ".shop.v1.Other"


def remove_value(files):
    del item_of(files).enum_type[0].value[1]


def rename_value(files):
    item_of(files).enum_type[0].value[1].name = "KIND_GONE"


def remove_enum(files):
    del files[0].enum_type[0]


def remove_message(files):
    item_of(files).ClearField("nested_type")


def move_enum(files):
    files[1].enum_type.add().CopyFrom(files[0].enum_type[0])
    del files[0].enum_type[0]


def remove_rpc(files):
    files[0].service[0].ClearField("method")


def rename_request(files):
    files[0].service[0].method[0].input_type = ".shop.v1.OtherRequest"


def make_stream(files):
    files[0].service[0].method[0].server_streaming = True


def remove_service(files):
    del files[0].service[0]


def remove_file(files):
    del files[1]


def change_option(files):
    files[0].options.go_package = "other/v1"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (remove_field, "field shop.v1.Item.title = 1 was removed"),
        (renumber_field, "field shop.v1.Item.title was number 1, is 9"),
        (
            rename_field,
            "field shop.v1.Item.title = 1 was `singular string title (JSON title)`,"
            " is `singular string name (JSON name)`",
        ),
        (
            retype_field,
            "field shop.v1.Item.size = 3 was `singular int32 size (JSON size) in oneof measure`,"
            " is `singular string size (JSON size) in oneof measure`",
        ),
        (
            relabel_field,
            "field shop.v1.Item.tags = 2 was `repeated string tags (JSON tags)`, is `singular string tags (JSON tags)`",
        ),
        (
            give_presence,
            "field shop.v1.Item.title = 1 was `singular string title (JSON title)`,"
            " is `optional string title (JSON title)`",
        ),
        (
            leave_oneof,
            "field shop.v1.Item.size = 3 was `singular int32 size (JSON size) in oneof measure`,"
            " is `singular int32 size (JSON size)`",
        ),
        (
            retarget_nested,
            "field shop.v1.Item.Part.owner = 1 was `singular .shop.v1.Item owner (JSON owner)`,"
            " is `singular .shop.v1.Other owner (JSON owner)`",
        ),
        (remove_value, "value shop.v1.Item.Kind.KIND_SOLD = 1 was removed"),
        (rename_value, "value shop.v1.Item.Kind.KIND_SOLD = 1 is now named KIND_GONE"),
        (remove_enum, "enum shop.v1.Colour was removed"),
        (remove_message, "message shop.v1.Item.Part was removed"),
        (move_enum, "shop.v1.Colour moved from shop/v1/cart.proto to shop/v1/empty.proto"),
        (remove_rpc, "rpc shop.v1.CartService.Get was removed"),
        (rename_request, "rpc shop.v1.CartService.Get: input_type was .shop.v1.GetRequest, is .shop.v1.OtherRequest"),
        (make_stream, "rpc shop.v1.CartService.Get: server_streaming was False, is True"),
        (remove_service, "service shop.v1.CartService was removed"),
        (remove_file, "file shop/v1/empty.proto was removed"),
        (change_option, "file shop/v1/cart.proto: option go_package was 'shop/v1', is 'other/v1'"),
    ],
)
def test_a_breaking_change_is_named(change, said):
    later = earlier()
    change(later)
    assert breaking_changes(earlier(), later) == [said]


def test_additions_break_nothing():
    later = earlier()
    item_of(later).field.add(name="price", number=4, type=INT32, label=SINGULAR)
    item_of(later).enum_type[0].value.add(name="KIND_NEW", number=2)
    later[0].message_type.add(name="Shelf")
    later[0].service[0].method.add(name="List", input_type=".shop.v1.ListRequest", output_type=".shop.v1.ListResponse")
    later.append(FileDescriptorProto(name="shop/v1/more.proto", package="shop.v1"))
    assert breaking_changes(earlier(), later) == []


def test_a_field_that_gives_its_number_away_breaks():
    files = []
    for module in (analysis_pb2, errors_pb2, face_pb2, image_pb2, options_pb2, service_pb2):
        file = FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        files.append(file)
    later = [FileDescriptorProto.FromString(file.SerializeToString()) for file in files]
    assert breaking_changes(files, later) == []
    box = later[2].message_type[0]
    assert box.name == "Box"
    box.field[0].number, box.field[1].number = 2, 1
    assert len(breaking_changes(files, later)) == 2


def git(folder, *arguments):
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def test_the_last_tag_and_its_files_are_read_from_git(tmp_path):
    repository = tmp_path / "repository"
    source = repository / "proto" / "faced" / "v1" / "box.proto"
    source.parent.mkdir(parents=True)
    git(tmp_path, "init", "-q", str(repository))
    assert lint.last_tag(repository) is None
    source.write_text("// first\n")
    source.with_name("notes.txt").write_text("no source\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "first")
    assert lint.last_tag(repository) is None
    git(repository, "tag", "v1")
    source.write_text("// second\n")
    git(repository, "commit", "-q", "-a", "-m", "second")
    assert lint.last_tag(repository) == "v1"
    lint.write_tagged_sources(repository, "v1", tmp_path / "then")
    assert [path.name for path in (tmp_path / "then").rglob("*.*")] == ["box.proto"]
    assert (tmp_path / "then" / "faced" / "v1" / "box.proto").read_text() == "// first\n"


def test_outside_a_repository_there_is_no_tag(tmp_path):
    assert lint.last_tag(tmp_path) is None
