"""Download from and upload to the Hugging Face hub, with errors that explain each failure.

Tokens, the cache, `HF_ENDPOINT` and `HF_HUB_OFFLINE` work as in huggingface_hub.
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
"""Seconds to wait for the hub's first answer. By default its client waits without limit, or retries for 23 seconds."""

FILES = ("*.json", "*.safetensors", "*.txt", "*.model", "run.toml", "README.md")
"""Files of checkpoints and taggers; others (weights in other formats, training logs) are not downloaded."""

_OF_TAGGERS = ("model.onnx", "onnx/model.onnx", "onnx/model_quantized.onnx")
"""Further files of taggers that polytag wrote; in other repositories, it would not use them."""

_OF_KERAS = "tf_model*.h5"  # of the TensorFlow models of transformers; read where no other weights are

_REPLACED = (
    *("model*.safetensors", "model.safetensors.index.json", "adapter_*", "model.onnx", "onnx/*", "model.tflite"),
    *("tokenizer*", "vocab.*", "merges.txt", "*_map.json", "added_tokens.json"),
    *("spiece.model", "spm.model", "sentencepiece*.model"),
)
"""Files of an earlier tagger or checkpoint that would be read together with the files of a new one."""

_MODEL = re.compile(r"[\w.-]+(/[\w.-]+)?(@\S+)?")
_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*(@\S+)?", flags=re.ASCII)
_ALONE = 2**20
"""Larger files are uploaded one at a time: the client's threads would prevent an interrupted program from exiting."""


def is_model_name(reference: str) -> bool:
    """Whether a model on the hub can have this name: `name` or `owner/name`, with or without `@revision`."""
    return bool(_MODEL.fullmatch(reference))


def tagger_folder(reference: str | Path) -> Path:
    """The folder of a tagger: the folder with that name, or else the cached copy of a model on the hub.

    Args:
        reference: A folder, or `owner/name`, `owner/name@revision`. A `Path` is always a folder.

    Returns:
        A folder; it may not exist if the reference cannot be a name on the hub.

    Raises:
        TaggerError: The folder may not be read, or the path is invalid.
        PolytagError: The model does not exist, may not be read, or cannot be downloaded completely.
    """
    path = expand_home(reference)
    try:
        there = path.exists()
        (path / "polytag.json").exists()  # raises an error for a folder that may not be entered
    except OSError as error:
        raise TaggerError(
            f"The tagger {str(reference)!r} cannot be read: {error.strerror}. Check the path and its permissions."
        ) from error
    if isinstance(reference, Path) or there or not _NAME.fullmatch(reference):
        return path
    return snapshot(reference, "tagger")


def snapshot(reference: str, what: str, files: Sequence[str] = FILES) -> Path:
    """The complete copy of a model of the hub in the cache: downloaded, resumed, or already complete.

    Without a connection, or if the hub refuses, an earlier download is used.

    Args:
        reference: `name` or `name@revision`.
        what: Purpose of the model, for messages: `tagger` or `encoder`.
        files: Patterns of the files that are downloaded.

    Raises:
        PolytagError: The model does not exist, may not be read, or cannot be downloaded completely.
    """
    from huggingface_hub.errors import HFValidationError, RevisionNotFoundError

    name, _, revision = reference.partition("@")
    client = _client()
    refused: Exception | None = None
    try:
        info = client.model_info(name, revision=revision or None, timeout=WAIT)
        if "polytag.json" in (names := [file.rfilename for file in info.siblings or ()]):
            files = (*files, *_OF_TAGGERS)
        elif "*.safetensors" in files and not any(fnmatch(name, "model*.safetensors") for name in names):
            files = (*files, _OF_KERAS)
    except HFValidationError as error:
        raise PolytagError(
            f"The {what} {reference!r} is neither a folder nor the name of a model on the hub. Check the path."
        ) from error
    except RevisionNotFoundError as error:
        raise PolytagError(
            f"The model {name!r} on the hub has no revision {revision!r}. Check it, or leave it and the @ out."
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
                f"The download of {name!r} from the hub was interrupted: {_reason(error)}. The incomplete copy is not "
                "used. Run it again: complete files are kept."
            ) from error
        raise _not_had(reference, what, refused, error) from refused


def metadata(reference: str, repo_type: str = "model") -> Mapping[str, Any]:
    """The front matter of the card of a model or dataset, if it is on this machine; nothing is downloaded.

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
    except Exception:  # not a name on the hub, or a card with arbitrary content
        return {}


def open_repository(repo: str, private: bool = False) -> str:
    """Make sure that a repository to push to exists; return its full name.

    Args:
        repo: `owner/name`, or a name in the namespace of the logged-in user.
        private: Whether it has to be private; otherwise its owner's settings decide for a new one, public by default.

    Raises:
        HubUnreachableError: The hub cannot be reached, or has an internal error.
        PolytagError: It may not be created, or it exists and is public although it has to be private.
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
            f"The repository {name!r} on the hub exists and is public, but a private one was requested."
            " Make it private in its settings, or choose another name."
        )
    return name


def upload(files: Mapping[str, Path | bytes], repo: str, message: str, revision: str | None = None) -> str:
    """Upload files to a repository in one commit, so that it has all of them or none; return the commit's URL.

    Files with the same names are replaced, weights and tokenizers with other names are deleted, and all others kept.

    Args:
        files: Paths or contents, by name.
        repo: Full name of an existing repository.
        message: Commit message.
        revision: Branch to commit to, created if it does not exist; `main` by default.

    Raises:
        HubUnreachableError: The hub cannot be reached, or has an internal error.
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
    """The exceptions of the client for failures of the network, the hub or the disk."""
    # The errors of the HTTP library that the client uses.
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # imported there from the HTTP library

    return (HTTPError, OSError)


def _not_had(reference: str, what: str, refused: Exception, missing: Exception) -> PolytagError:
    """The error for a model that is neither downloaded nor in the cache."""
    from huggingface_hub import errors

    name = reference.partition("@")[0]
    status = _status(refused)
    if isinstance(missing, errors.IncompleteSnapshotError):
        return PolytagError(
            f"The {what} {reference!r} is incomplete in the cache, and {_why(refused)}. The incomplete copy is not "
            "used. Run it again with a network connection: complete files are kept."
        )
    if isinstance(refused, errors.GatedRepoError):
        return PolytagError(
            f"The model {name!r} is gated: accept its conditions on its page, then log in with `hf auth login`."
        )
    if isinstance(refused, errors.RepositoryNotFoundError):
        return PolytagError(
            f"No folder {reference!r} and no public model {name!r} on the hub exists. Check the name, or "
            "log in with `hf auth login`."
        )
    if status in (401, 403):
        return PolytagError(
            f"The hub refuses to show the model {name!r} ({_reason(refused)}). Log in again with `hf auth login`, or "
            "check the token in HF_TOKEN."
        )
    return PolytagError(
        f"The {what} {reference!r} is not a folder here, and not in the cache, and {_why(refused)}. Check the path, or "
        f"download it with a network connection: `hf download {name}`."
    )


_LOG_IN = (
    "To push to {repo!r}, log in to the hub with `hf auth login`, or set HF_TOKEN, with a token that may write. Now no "
    "user is logged in, or the token is not valid."
)


@contextmanager
def _explained(repo: str) -> Iterator[None]:
    """Turn errors in pushing into errors that explain them."""
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
            f"Nothing can be pushed to {repo!r}: HF_HUB_OFFLINE is set. Unset it, with a network connection."
        ) from error
    except errors.BadRequestError as error:
        raise _not_pushed(repo, error) from error
    except ValueError as error:  # raised by the client for an unexpected answer
        if "README.md" in str(error):
            raise PolytagError(
                f"The hub does not accept the model card: {_reason(error)}. Correct it there."
            ) from error
        raise _not_pushed(repo, error) from error
    except _failures() as error:
        raise _not_pushed(repo, error) from error
    except RuntimeError as error:
        # The client wraps errors in the upload of a large file.
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
            f"The hub has no repository {repo!r} that you may see. Check the name, or log in with `hf auth login`."
        )
    if status is not None and status < 500 and status != 429:
        return PolytagError(f"The hub refuses the push to {repo!r}: {_reason(error)}.")
    if status is None and isinstance(error, OSError) and error.filename:
        return PolytagError(f"{error.filename!r} cannot be read to push it to {repo!r}: {error.strerror}.")
    return HubUnreachableError(
        f"Pushing to {repo!r} failed: {_why(error)}. The repository is unchanged. Push again when the hub can be "
        "reached; files that have been uploaded are not sent twice."
    )


def _why(error: BaseException) -> str:
    """A clause that says why the hub cannot be used now."""
    from huggingface_hub.errors import OfflineModeIsEnabled

    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set"
    if _status(error) is not None:
        return f"the hub has an internal error ({_reason(error)})"
    if isinstance(error, ValueError):
        return f"the hub has an internal error (its answer is invalid: {_reason(error)})"
    return f"the hub cannot be reached ({_reason(error)})"


def _status(error: BaseException) -> int | None:
    from huggingface_hub.errors import HfHubHTTPError

    return error.response.status_code if isinstance(error, HfHubHTTPError) else None


def _reason(error: BaseException) -> str:
    """The cause of an error, in one line."""
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError):
        return f"status {error.response.status_code} {error.server_message or error.response.reason_phrase}".strip()
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
