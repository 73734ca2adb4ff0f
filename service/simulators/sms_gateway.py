"""The simulated SMS gateway, and the phones of the sandbox."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, Field

from service.simulators.contract import source
from service.simulators.outside import Delivered, Outside

SMS_TEXTS = {
    "registration-code": "【印信】注册验证码 {code}，{minutes} 分钟内有效。请勿告诉他人。",
    "sign-in-code": "【印信】登录验证码 {code}，{minutes} 分钟内有效。请勿告诉他人。",
    "recovery-code": "【印信】找回账号验证码 {code}，{minutes} 分钟内有效。非本人操作请勿理会。",
    "phone-change-code": "【印信】更换手机号验证码 {code}，{minutes} 分钟内有效。请勿告诉他人。",
    "reconfirmation-code": "【印信】重新核对身份验证码 {code}，{minutes} 分钟内有效。请勿告诉他人。",
    "new-device": "【印信】您的账号于 {time} 在新设备（{device}）上登录。非本人操作请立即修改密码。",
    "password-changed": "【印信】您的账号于 {time} 修改了登录密码。非本人操作请立即找回账号。",
    "phone-changed": "【印信】您的账号于 {time} 更换了手机号。非本人操作请立即到服务窗口办理。",
    "method-added": "【印信】您的账号于 {time} 新增了登录方式。非本人操作请立即登录移除并修改密码。",
    "mandate-given": "【印信】{principal} 已授权您代为办事，有效期至 {until}。登录后可查看。",
    "mandate-ended": "【印信】{principal} 对您的授权已结束。登录后可查看。",
    "mandate-given-for-you": "【印信】{holder} 获授权为 {principal} 办事，至 {until}。如非本意请登录终止。",
    "mandate-ended-for-you": "【印信】{holder} 为 {principal} 办事的授权已结束。登录后可查看。",
}
"""What each message template says."""


class Message(BaseModel):
    """A message to one phone, by template."""

    phone: str = Field(pattern="^1[3-9][0-9]{9}$")
    template: str
    parameters: dict[str, str]


class Accepted(BaseModel):
    """The message was taken for delivery."""

    message_id: str


def routers(outside: Outside) -> tuple[APIRouter, APIRouter]:
    """The contract, and what the phones show."""
    contract, sandbox = source("sms-gateway"), APIRouter(tags=["sandbox"])

    @contract.post("/messages", operation_id="send_message", status_code=202)
    def send_message(message: Message) -> Accepted:
        """Take a message for delivery."""
        if message.template not in SMS_TEXTS:
            raise HTTPException(422, "unknown template")
        text = SMS_TEXTS[message.template]
        for name, value in message.parameters.items():
            text = text.replace(f"{{{name}}}", value)
        message_id = outside.reference("message")
        outside.inbox.append(Delivered(message_id=message_id, text=text, **message.model_dump()))
        return Accepted(message_id=message_id)

    @sandbox.get("/sms-gateway/messages", operation_id="read_inbox")
    def read_inbox(phone: Annotated[str | None, Query()] = None) -> list[Delivered]:
        """The sandbox's phones: every message sent, oldest first, or those of one phone."""
        return [message for message in outside.inbox if phone in (None, message.phone)]

    return contract, sandbox
