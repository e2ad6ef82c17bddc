"""Everything that a page of results was counted from, in one file beside it: whoever has the page can count again, and
goes on from there on another machine.
"""

import io
import lzma
import re
import tarfile
from pathlib import Path

from agent.commands.outcome import CommandError

_NAME = re.compile(r"[\w.@-]+\.jsonl?")


def archive_of(page: Path) -> Path:
    """Where that of this page is."""
    return page.with_name(f"{page.stem}-episodes.tar.xz")


def restore(archive: Path, folder: Path) -> None:
    """Give `folder`, where evaluations are kept, what it lacks of this archive: journals episode by episode.

    Raises CommandError for an archive that cannot be read.
    """
    from agent.commands.journal import Journal

    if not archive.exists():
        return
    try:
        with tarfile.open(fileobj=io.BytesIO(lzma.decompress(archive.read_bytes()))) as tar:
            files = {member.name: tar.extractfile(member) for member in tar.getmembers()}
            whole = {name: file.read() for name, file in files.items() if file is not None and _NAME.fullmatch(name)}
        if strange := sorted(files.keys() - whole.keys()):
            raise ValueError(f"{strange[0]!r} is no evaluation")
    except (OSError, EOFError, ValueError, lzma.LZMAError, tarfile.TarError) as error:
        raise CommandError(f"{archive} cannot be read: {error}; move it away to begin anew") from error
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in whole.items():
        path = folder / name
        if path.suffix == ".jsonl":
            journal = Journal(path)
            known = journal.read()
            for index, report in Journal.parse(data, archive).items():
                if index not in known:
                    journal.add(index, report)
        elif not path.exists():
            path.write_bytes(data)


def store(archive: Path, folder: Path, split: str, code: str) -> None:
    """Write what is kept in `folder` of this split and code; the file appears whole or not at all."""
    from msgspec import structs

    from agent.commands.journal import Journal

    part = archive.with_name(archive.name + ".part")
    with tarfile.open(part, "w:xz", preset=9) as tar:
        for path in sorted(folder.glob(f"*-{split}-*-{code}.json*")):
            if path.suffix == ".jsonl":
                # Where episodes were recorded means nothing on another machine.
                reports = {i: structs.replace(report, episode="") for i, report in Journal(path).read().items()}
                data = b"".join(Journal.line(index, report) for index, report in sorted(reports.items()))
            else:
                data = path.read_bytes()
            entry = tarfile.TarInfo(path.name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    part.replace(archive)
