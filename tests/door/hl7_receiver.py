# SPDX-License-Identifier: Apache-2.0
"""A receiver made with python3-hl7: says its port, then MSH-10 of each message it answers with AA. Ends with its parent."""
import asyncio

from hl7.mllp import start_hl7_server


async def serve(reader, writer):
    try:
        while not writer.is_closing():
            message = await reader.readmessage()
            print(str(message.segment("MSH")[10]), flush=True)
            writer.writemessage(message.create_ack("AA"))
            await writer.drain()
    except asyncio.IncompleteReadError:
        pass
    writer.close()


async def main():
    server = await start_hl7_server(serve, "127.0.0.1", 0, encoding="iso2022_jp")
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
