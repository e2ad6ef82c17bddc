"""The few calls by which a log reaches a disk: the place where tests put one that loses what was not synced."""

import os
from pathlib import Path
from typing import Protocol


class Disk(Protocol):
    """Files are numbers, as with `os`. Every call may raise OSError."""

    def create(self, path: Path) -> int:
        """A new file to append to; FileExistsError where there is one."""
        ...

    def write(self, file: int, data: memoryview) -> int:
        """The number of bytes that were taken."""
        ...

    def truncate(self, file: int, size: int) -> None: ...

    def sync(self, file: int) -> None:
        """What was written so far survives a power cut when this returns."""
        ...

    def sync_folder(self, folder: Path) -> None:
        """So do the names of new files."""
        ...

    def close(self, file: int) -> None: ...

    def remove(self, path: Path) -> None: ...

    def free_bytes(self, folder: Path) -> int: ...


class RealDisk:
    """The operating system's."""

    def create(self, path: Path) -> int:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def write(self, file: int, data: memoryview) -> int:
        return os.write(file, data)

    def truncate(self, file: int, size: int) -> None:
        os.ftruncate(file, size)

    def sync(self, file: int) -> None:
        os.fsync(file)

    def sync_folder(self, folder: Path) -> None:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def close(self, file: int) -> None:
        os.close(file)

    def remove(self, path: Path) -> None:
        path.unlink()

    def free_bytes(self, folder: Path) -> int:
        stat = os.statvfs(folder)
        return stat.f_bavail * stat.f_frsize
