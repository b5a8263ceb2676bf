"""Thrift's compact protocol, as far as the footer of a Parquet file needs it: any struct in, the same struct out.

A struct is a dict of field id -> (type, value), a list is (element type, values). Nothing here knows Parquet.
"""

from typing import Any

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
Struct = dict[int, tuple[int, Any]]


class Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def _byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def _varint(self) -> int:
        result = shift = 0
        while True:
            byte = self._byte()
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                return result
            shift += 7

    def _zigzag(self) -> int:
        number = self._varint()
        return (number >> 1) ^ -(number & 1)

    def struct(self) -> Struct:
        fields: Struct = {}
        last = 0
        while head := self._byte():
            kind = head & 0x0F
            last = last + (head >> 4) if head >> 4 else self._zigzag()
            fields[last] = (kind, kind == TRUE if kind in (TRUE, FALSE) else self._value(kind))
        return fields

    def _value(self, kind: int) -> Any:
        if kind in (I16, I32, I64):
            return self._zigzag()
        if kind == STRUCT:
            return self.struct()
        if kind == BINARY:
            return self._take(self._varint())
        if kind in (LIST, SET):
            head = self._byte()
            size = head >> 4 if head >> 4 < 15 else self._varint()
            return head & 0x0F, [self._value(head & 0x0F) for _ in range(size)]
        if kind == DOUBLE:
            return self._take(8)
        if kind in (TRUE, FALSE, BYTE):  # inside a list, a boolean is one byte
            return self._byte()
        raise ValueError(f"Thrift type {kind} does not occur in a Parquet footer")

    def _take(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]


class Writer:
    def __init__(self) -> None:
        self.out = bytearray()

    def _varint(self, number: int) -> None:
        while number >= 0x80:
            self.out.append(number & 0x7F | 0x80)
            number >>= 7
        self.out.append(number)

    def _zigzag(self, number: int) -> None:
        self._varint(number << 1 if number >= 0 else (-number << 1) - 1)

    def struct(self, fields: Struct) -> "Writer":
        last = 0
        for key, (kind, value) in sorted(fields.items()):
            if kind in (TRUE, FALSE):
                kind = TRUE if value else FALSE
            if 0 < key - last < 16:
                self.out.append((key - last) << 4 | kind)
            else:
                self.out.append(kind)
                self._zigzag(key)
            last = key
            if kind not in (TRUE, FALSE):
                self._value(kind, value)
        self.out.append(0)
        return self

    def _value(self, kind: int, value: Any) -> None:
        if kind in (I16, I32, I64):
            self._zigzag(value)
        elif kind == STRUCT:
            self.struct(value)
        elif kind == BINARY:
            self._varint(len(value))
            self.out += value
        elif kind in (LIST, SET):
            self._list(*value)
        elif kind == DOUBLE:
            self.out += value
        else:
            self.out.append(value)

    def _list(self, kind: int, values: list[Any]) -> None:
        if len(values) < 15:
            self.out.append(len(values) << 4 | kind)
        else:
            self.out.append(0xF0 | kind)
            self._varint(len(values))
        for value in values:
            self._value(kind, value)
