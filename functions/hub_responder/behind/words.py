"""Why no instance is behind a resource, or why that cannot be told, in English and Japanese.

Where there is something to look at instead, the reason says it.
"""

from __future__ import annotations

from collections.abc import Mapping

EN: Mapping[str, str] = {
    "serverless": "AWS runs its host; Inspector can scan its code",
    "image_in_registry": "an image in a registry has no agent; Inspector shows what runs it",
    "storage": "storage has no host for an agent; look at who can read and write it",
    "identity": "credentials have no host; CloudTrail shows what was done with them",
    "account": "it is about the account as a whole",
    "build": "a repository or build has no host that stays; look at what it delivers",
    "network": "a network resource has no host; look at the instances that use it",
    "managed_service": "AWS runs its host; look at its version and settings",
    "fargate": "on Fargate AWS runs the host; GuardDuty Runtime Monitoring can watch the task",
    "no_instances": "no instance is in it now",
    "no_instance_named": "the finding names no instance behind it",
    "gone": "AWS no longer knows what the finding names, nor its instance",
    "ambiguous_node": "several instances have the node's name",
    "instances_starting": "its instances are only starting",
    "outside_ec2": "it runs on a machine outside EC2, which has no instance id",
    "not_all_looked_at": "not all instances behind it could be looked at",
    "behind_denied": "AWS refuses to tell its instances",
    "behind_refused": "its instances cannot be asked for",
    "behind_unreachable": "AWS does not tell its instances now",
    "behind_configuration": "there is no role to look into its account",
}
JA: Mapping[str, str] = {
    "serverless": "ホストはAWSが運用(コードはInspectorで検査可能)",
    "image_in_registry": "レジストリ内のイメージにエージェントなし(実行場所はInspectorで確認)",
    "storage": "ストレージにホストはありません(誰が読み書きできるかを確認)",
    "identity": "認証情報にホストはありません(使われ方はCloudTrailで確認)",
    "account": "アカウント全体に関する検出",
    "build": "リポジトリやビルドに常駐のホストはありません(成果物を確認)",
    "network": "ネットワークのリソースにホストはありません(使っているインスタンスを確認)",
    "managed_service": "ホストはAWSが運用(バージョンと設定を確認)",
    "fargate": "FargateのホストはAWSが運用(GuardDuty Runtime Monitoringで監視可能)",
    "no_instances": "現在インスタンスがありません",
    "no_instance_named": "検出結果に背後のインスタンスの記載がありません",
    "gone": "検出結果が示すものとそのインスタンスはもうAWSにありません",
    "ambiguous_node": "ノード名に一致するインスタンスが複数あります",
    "instances_starting": "インスタンスは起動中です",
    "outside_ec2": "EC2外のマシンで動いており、インスタンスIDがありません",
    "not_all_looked_at": "背後のインスタンスをすべては確認できませんでした",
    "behind_denied": "背後のインスタンスの照会をAWSが拒否",
    "behind_refused": "背後のインスタンスを照会できません",
    "behind_unreachable": "背後のインスタンスを今はAWSから得られません",
    "behind_configuration": "アカウントを照会するロールがありません",
}
