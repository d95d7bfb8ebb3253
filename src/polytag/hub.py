"""The Hugging Face hub: downloads into its client's cache, uploads, and every failure explained in a paragraph.

Tokens, caches, `HF_ENDPOINT` and `HF_HUB_OFFLINE` are those of huggingface_hub.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polytag.errors import HubUnreachableError, PolytagError, TaggerError
from polytag.files import expand_home

if TYPE_CHECKING:
    from huggingface_hub import HfApi

WAIT = 10.0
"""Seconds to wait for the hub's first answer. Its client alone waits without limit, or tries again for 23 seconds."""

FILES = ("*.json", "*.safetensors", "*.txt", "*.model", "model.onnx", "run.toml", "README.md")
"""Files of checkpoints and taggers; others (weights in other formats, training logs) are not downloaded."""

_REPLACED = (
    *("model*.safetensors", "model.safetensors.index.json", "model.onnx", "model.tflite"),
    *("tokenizer*", "vocab.*", "merges.txt", "*_map.json"),
)
"""Files of an earlier tagger or checkpoint that would be read together with those of a new one."""

_MODEL = re.compile(r"[\w.-]+(/[\w.-]+)?(@\S+)?")
_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*(@\S+)?", flags=re.ASCII)
_ALONE = 2**20
"""Larger files are uploaded one at a time: threads of the client's would keep an interrupted program from ending."""


def is_model_name(reference: str) -> bool:
    """Whether a model on the hub can have this name: `name` or `owner/name`, with or without `@revision`."""
    return bool(_MODEL.fullmatch(reference))


def tagger_folder(reference: str | Path) -> Path:
    """The folder of what a user names: the folder of that name, or else the cached copy of a model on the hub.

    Args:
        reference: A folder, or `owner/name`, `owner/name@revision`. A `Path` is always a folder.

    Returns:
        A folder; where the reference is no name on the hub, it need not exist.

    Raises:
        TaggerError: The folder may not be looked into, or no folder can have such a path.
        PolytagError: There is no such model, it may not be read, or not all of it can be had.
    """
    path = expand_home(reference)
    try:
        there = path.exists()
        (path / "polytag.json").exists()  # which a folder that may not be entered does not answer either
    except OSError as error:
        raise TaggerError(
            f"The tagger {str(reference)!r} cannot be read: {error.strerror}. Check the path and its rights."
        ) from error
    if isinstance(reference, Path) or there or not _NAME.fullmatch(reference):
        return path
    return snapshot(reference, "tagger")


def snapshot(reference: str, what: str, files: Sequence[str] = FILES) -> Path:
    """The whole copy of a model on the hub, in the cache: downloaded, gone on with, or as it was found there.

    Without a connection, or where the hub refuses, a copy that was downloaded before serves.

    Args:
        reference: `name` or `name@revision`.
        what: What the model is wanted as, for messages: `tagger` or `encoder`.
        files: Patterns of the files that are downloaded.

    Raises:
        PolytagError: There is no such model, it may not be read, or not all of it can be had.
    """
    from huggingface_hub.errors import HFValidationError, RevisionNotFoundError

    name, _, revision = reference.partition("@")
    client = _client()
    refused: Exception | None = None
    try:
        client.model_info(name, revision=revision or None, timeout=WAIT)
    except HFValidationError as error:
        raise PolytagError(
            f"The {what} {reference!r} is neither a folder nor the name of a model on the hub. Check the path."
        ) from error
    except RevisionNotFoundError as error:
        raise PolytagError(
            f"The model {name!r} on the hub has no revision {revision!r}. Check what follows the @, or leave it out."
        ) from error
    except _failures() as error:
        refused = error
    try:
        return Path(
            client.snapshot_download(
                name, revision=revision or None, allow_patterns=list(files), local_files_only=refused is not None
            )
        )
    except _failures() as error:
        if refused is None:
            raise PolytagError(
                f"The download of {name!r} from the hub broke off: {_reason(error)}. Nothing incomplete is used. Run "
                "it again: files that have arrived are kept."
            ) from error
        raise _not_had(reference, what, refused, error) from refused


def metadata(reference: str, repo_type: str = "model") -> Mapping[str, Any]:
    """The front matter of the card of a model or data set, as far as it is on this machine; nothing is downloaded.

    Args:
        reference: A folder, or a name on the hub, with or without a revision.
        repo_type: `model` or `dataset`.
    """
    import huggingface_hub

    name, _, revision = reference.partition("@")
    path: object = expand_home(reference) / "README.md"
    try:
        if not Path(str(path)).is_file():
            path = huggingface_hub.try_to_load_from_cache(
                name, "README.md", revision=revision or None, repo_type=repo_type
            )
        if not isinstance(path, str | Path):
            return {}
        return dict(huggingface_hub.RepoCard.load(path, ignore_metadata_errors=True).data.to_dict())
    except Exception:  # no name on the hub, or a card with anything in it that its owner wrote
        return {}


def open_repository(repo: str, private: bool = False) -> str:
    """Make sure that there is a repository to push to; returns its full name.

    Args:
        repo: `owner/name`, or a name in the namespace of whoever is logged in.
        private: Whether it has to be private; a new one is public otherwise, or as its owner's settings say.

    Raises:
        HubUnreachableError: The hub cannot be reached, or has a problem of its own.
        PolytagError: It may not be made, or is there and public where it has to be private.
    """
    import huggingface_hub
    from huggingface_hub.errors import RepositoryNotFoundError

    client = _client()
    with _explained(repo):
        if huggingface_hub.get_token() is None:
            raise PolytagError(_LOG_IN.format(repo=repo))
        name = repo if "/" in repo else f"{client.whoami()['name']}/{repo}"
        try:
            found = client.model_info(name, timeout=WAIT)
        except RepositoryNotFoundError:
            return client.create_repo(name, private=private or None, exist_ok=True).repo_id
    if private and not found.private:
        raise PolytagError(
            f"The repository {name!r} on the hub exists and is public, and the tagger is to be pushed to a private one."
            " Make it private in its settings, or choose another name."
        )
    return name


def upload(files: Mapping[str, Path | bytes], repo: str, message: str, revision: str | None = None) -> str:
    """Put files into a repository in one commit: a reader sees all of them, or none; returns the commit's address.

    Files of the same names are replaced, weights and tokenizers of other names removed, and all others kept.

    Args:
        files: Paths or contents, by name.
        repo: Full name of a repository that exists.
        message: Of the commit.
        revision: Branch to commit to, made when it is missing; `main` when not given.

    Raises:
        HubUnreachableError: The hub cannot be reached, or has a problem of its own.
        PolytagError: The hub refuses.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete
    from huggingface_hub.errors import RevisionNotFoundError

    client = _client()
    with _explained(repo):
        try:
            found = client.model_info(repo, revision=revision, timeout=WAIT)
        except RevisionNotFoundError:
            client.create_branch(repo, branch=str(revision), exist_ok=True)
            found = client.model_info(repo, revision=revision, timeout=WAIT)
        there = [file.rfilename for file in found.siblings or ()]
        gone = [name for name in there if name not in files and any(fnmatch(name, old) for old in _REPLACED)]
        adding = [CommitOperationAdd(path_in_repo=name, path_or_fileobj=content) for name, content in files.items()]
        for operation in adding:
            if operation.upload_info.size > _ALONE:
                client.preupload_lfs_files(repo, [operation], revision=revision, free_memory=False)
        removing = [CommitOperationDelete(path_in_repo=name) for name in gone if "/" not in name]
        done = client.create_commit(repo, [*adding, *removing], commit_message=message, revision=revision)
    return done.commit_url


def _client() -> HfApi:
    import importlib.metadata

    import huggingface_hub

    return huggingface_hub.HfApi(library_name="polytag", library_version=importlib.metadata.version("polytag"))


def _failures() -> tuple[type[Exception], ...]:
    """What the client raises when the network, the hub or the disk fails."""
    # The HTTP library's own errors, whichever library the client uses.
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

    return (HTTPError, OSError)


def _not_had(reference: str, what: str, refused: Exception, missing: Exception) -> PolytagError:
    """Why a model is neither downloaded nor in the cache."""
    from huggingface_hub import errors

    name = reference.partition("@")[0]
    status = _status(refused)
    if isinstance(missing, errors.IncompleteSnapshotError):
        return PolytagError(
            f"The {what} {reference!r} is in the cache only in part, and {_why(refused)}. Nothing incomplete is used. "
            "Run it again where there is a network: files that have arrived are kept."
        )
    if isinstance(refused, errors.GatedRepoError):
        return PolytagError(
            f"The model {name!r} is gated: accept its conditions on its page, then log in with `hf auth login`."
        )
    if isinstance(refused, errors.RepositoryNotFoundError):
        return PolytagError(
            f"There is no folder {reference!r} and no model {name!r} on the hub, or it is private. Check the name, or "
            "log in with `hf auth login`."
        )
    if status in (401, 403):
        return PolytagError(
            f"The hub refuses to show the model {name!r} ({_reason(refused)}). Log in again with `hf auth login`, or "
            "check the token in HF_TOKEN."
        )
    return PolytagError(
        f"The {what} {reference!r} is not a folder here, and not in the cache, and {_why(refused)}. Check the path, or "
        f"download it where there is a network: `hf download {name}`."
    )


_LOG_IN = (
    "To push to {repo!r}, log in to the hub with `hf auth login`, or set HF_TOKEN, with a token that may write: nobody "
    "is logged in, or the token is not valid."
)


@contextmanager
def _explained(repo: str) -> Iterator[None]:
    """Explain what goes wrong in pushing."""
    from huggingface_hub import errors

    try:
        yield
    except errors.HFValidationError as error:
        raise PolytagError(
            f"{repo!r} cannot be the name of a repository on the hub. Write owner/name, with letters, digits, and - _ "
            "or . inside."
        ) from error
    except errors.OfflineModeIsEnabled as error:
        raise PolytagError(
            f"Nothing can be pushed to {repo!r}: HF_HUB_OFFLINE is set. Unset it where there is a network."
        ) from error
    except errors.BadRequestError as error:
        raise _not_pushed(repo, error) from error
    except ValueError as error:  # what the client makes of an answer it does not expect
        if "README.md" in str(error):
            raise PolytagError(
                f"The hub does not accept the model card: {_reason(error)}. Correct it there."
            ) from error
        raise _not_pushed(repo, error) from error
    except _failures() as error:
        raise _not_pushed(repo, error) from error
    except RuntimeError as error:
        # The client wraps what goes wrong in the upload of a large file.
        raise _not_pushed(repo, error.__cause__ or error) from error


def _not_pushed(repo: str, error: BaseException) -> PolytagError:
    from huggingface_hub import errors

    status = _status(error)
    if status == 401 and not isinstance(error, errors.RepositoryNotFoundError):
        return PolytagError(_LOG_IN.format(repo=repo))
    if status == 403:
        return PolytagError(
            f"The token may not write to {repo!r} on the hub. Log in with one that may (`hf auth login`), or choose a "
            "repository of your own."
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return PolytagError(
            f"There is no repository {repo!r} on the hub that you may see. Check the name, or log in with `hf auth "
            "login`."
        )
    if status is not None and status < 500 and status != 429:
        return PolytagError(f"The hub refuses the push to {repo!r}: {_reason(error)}.")
    if status is None and isinstance(error, OSError) and error.filename:
        return PolytagError(f"{error.filename!r} cannot be read to push it to {repo!r}: {error.strerror}.")
    return HubUnreachableError(
        f"Pushing to {repo!r} failed: {_why(error)}. Nothing of it is visible there. Push again when the hub can be "
        "reached; what has been uploaded already is not sent twice."
    )


def _why(error: BaseException) -> str:
    """Why the hub is of no use now."""
    from huggingface_hub.errors import OfflineModeIsEnabled

    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set"
    if _status(error) is not None:
        return f"the hub has a problem of its own ({_reason(error)})"
    if isinstance(error, ValueError):
        return f"the hub has a problem of its own (its answer makes no sense: {_reason(error)})"
    return f"the hub cannot be reached ({_reason(error)})"


def _status(error: BaseException) -> int | None:
    from huggingface_hub.errors import HfHubHTTPError

    return error.response.status_code if isinstance(error, HfHubHTTPError) else None


def _reason(error: BaseException) -> str:
    """What went wrong, in one line."""
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError):
        return f"status {error.response.status_code} {error.server_message or error.response.reason_phrase}".strip()
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
