"""Prints LZ4 frames as liblz4 writes them, a line each: name, plain size, hex. The plain bytes are of plain(size)."""
import lz4.frame as f

def plain(size):
    state, out = 1, bytearray()
    while len(out) < size:
        state = (state * 1103515245 + 12345) % 2**31
        out += b'record ' + str(state // 65536 % 4).encode() + b' of many records that all look alike, or nearly so; '
    return bytes(out[:size])

def frame(name, size, **options):
    print(name, size, f.compress(plain(size), **options).hex())

for linked in (False, True):
    name = 'linked' if linked else 'independent'
    frame(name + '-64KB', 100000 if linked else 70000, block_linked=linked, block_size=f.BLOCKSIZE_MAX64KB, compression_level=9, store_size=False)
frame('block-checksums', 70000, block_checksum=True, block_size=f.BLOCKSIZE_MAX64KB, compression_level=9)
frame('content-checksum-and-size', 3000, content_checksum=True, store_size=True, block_size=f.BLOCKSIZE_MAX4MB)
frame('all-linked', 70000, block_linked=True, block_checksum=True, content_checksum=True, store_size=True, block_size=f.BLOCKSIZE_MAX256KB, compression_level=9)
frame('empty', 0)
