"""Each style rule is broken once, in a small file that is otherwise right."""

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from lint_style import LANGUAGE_OPTIONS, style_problems


def sound_file() -> FileDescriptorProto:
    file = FileDescriptorProto(name="shop/v1/cart.proto", package="shop.v1", syntax="proto3")
    for option in LANGUAGE_OPTIONS:
        setattr(file.options, option, True if option == "java_multiple_files" else "x")
    file.message_type.add(name="GetCartRequest")
    file.message_type.add(name="GetCartResponse").field.add(name="item_count", number=1)
    file.message_type.add(name="Item").enum_type.add(name="Kind").value.add(name="KIND_UNSPECIFIED", number=0)
    colour = file.enum_type.add(name="PaintColour")
    colour.value.add(name="PAINT_COLOUR_UNSPECIFIED", number=0)
    colour.value.add(name="PAINT_COLOUR_RED", number=1)
    service = file.service.add(name="CartService")
    service.method.add(name="GetCart", input_type=".shop.v1.GetCartRequest", output_type=".shop.v1.GetCartResponse")
    for path in ([4, 2], [4, 2, 4, 0], [5, 0], [6, 0], [6, 0, 2, 0]):
        file.source_code_info.location.add(path=path, leading_comments=" Something.\n")
    return file


def test_a_sound_file_has_no_problems():
    assert style_problems([sound_file()]) == []


def uncomment(index):
    def change(file):
        file.source_code_info.location[index].leading_comments = " \n"

    return change


def clear_option(option):
    def change(file):
        file.options.ClearField(option)

    return change


def assign(path, **values):
    """Set fields of what `path` leads to, as in "service[0].method[0]"."""

    def change(file):
        target = eval(f"file.{path}" if path else "file", {"file": file})
        for name, value in values.items():
            setattr(target, name, value)

    return change


def add_alias(file):
    file.enum_type[0].options.allow_alias = True


def add_oneof(file):
    file.message_type[1].oneof_decl.add(name="Kind")


def add_zero(file):
    file.enum_type[0].value[1].number = 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (assign("", package="shop.v2"), "package 'shop.v2' does not name its directory 'shop.v1'"),
        (assign("", package="shop", name="shop/cart.proto"), "package 'shop' does not end in a version (v1)"),
        (assign("", syntax="proto2"), "syntax is proto2, not proto3"),
        (assign("", name="shop/v1/shopCart.proto"), "the file's name is not lower_snake_case"),
        *[(clear_option(option), f"option {option} is not set") for option in LANGUAGE_OPTIONS],
        (assign("message_type[2]", name="shop_item"), "message shop_item is not PascalCase"),
        (uncomment(0), "message Item has no comment"),
        (
            assign("message_type[1].field[0]", name="itemCount"),
            "field GetCartResponse.itemCount is not lower_snake_case",
        ),
        (add_oneof, "oneof GetCartResponse.Kind is not lower_snake_case"),
        (uncomment(1), "enum Item.Kind has no comment"),
        (uncomment(2), "enum PaintColour has no comment"),
        (add_alias, "enum PaintColour allows two names for one number"),
        (
            assign("enum_type[0].value[1]", name="RED"),
            "value PaintColour.RED is not PAINT_COLOUR_ and more in UPPER_SNAKE_CASE",
        ),
        (
            assign("enum_type[0].value[0]", name="PAINT_COLOUR_NONE"),
            "value PaintColour.PAINT_COLOUR_NONE = 0: 0, and only 0, is PAINT_COLOUR_UNSPECIFIED",
        ),
        (add_zero, "value PaintColour.PAINT_COLOUR_RED = 0: 0, and only 0, is PAINT_COLOUR_UNSPECIFIED"),
        (assign("service[0]", name="Cart"), "service Cart is not PascalCase with the suffix Service"),
        (uncomment(3), "service CartService has no comment"),
        (uncomment(4), "rpc CartService.GetCart has no comment"),
        (
            assign("service[0].method[0]", input_type=".shop.v1.Item"),
            "rpc CartService.GetCart: Item is not named GetCartRequest",
        ),
        (
            assign("service[0].method[0]", output_type=".google.protobuf.Empty"),
            "rpc CartService.GetCart: Empty is not named GetCartResponse",
        ),
    ],
)
def test_a_breach_is_named(change, said):
    file = sound_file()
    change(file)
    assert style_problems([file]) == [f"{file.name}: {said}"]


def test_an_rpc_that_is_not_pascal_case_is_named():
    file = sound_file()
    file.service[0].method[0].name = "get_cart"
    assert "shop/v1/cart.proto: rpc CartService.get_cart is not PascalCase" in style_problems([file])


def test_two_rpcs_do_not_share_a_message():
    file = sound_file()
    file.service.add(name="OtherService").method.add().CopyFrom(file.service[0].method[0])
    for path in ([6, 1], [6, 1, 2, 0]):
        file.source_code_info.location.add(path=path, leading_comments="Something.")
    assert style_problems([file]) == [
        "shop.v1.GetCartRequest is used more than once: CartService.GetCart, OtherService.GetCart",
        "shop.v1.GetCartResponse is used more than once: CartService.GetCart, OtherService.GetCart",
    ]


def test_optional_fields_and_maps_are_the_compilers_own_business():
    file = sound_file()
    item = file.message_type[2]
    item.field.add(name="size", number=1, proto3_optional=True, oneof_index=0)
    item.oneof_decl.add(name="_size")
    item.nested_type.add(name="pricesEntry").options.map_entry = True
    assert style_problems([file]) == []
